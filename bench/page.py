#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes docs/performance.md and its pictures from what bench --json wrote.

    page.py write PAGE FOLDER    fills the page in, and draws into FOLDER
    page.py check PAGE FOLDER    says what differs from the figures, and fails
    page.py draw FOLDER INTO     draws alone

The figures are FOLDER/figures.json, and nothing else is read: the same file
makes the same page and, by the same gnuplot, the same pictures. In the page,
what stands between <!-- NAME --> and <!-- end --> is written anew.
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys

BLOCK = re.compile(r'<!-- ([a-z]+(?: [a-z]+)?) -->\n(.*?)<!-- end -->\n',
                   re.S)
FIGURES = 'figures.json'
OURS = ('sill ', 'httpd ', 'kv ')
AGAIN = (' again', ' once more')


def read_figures(folder):
    text = (folder / FIGURES).read_text()
    run = json.loads(text)
    run['hash'] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return run


def tables_of(run, section):
    return [t for t in run['tables'] if t['section'] == section]


def is_measured(row):
    return 'median' in row


def is_ours(row):
    return row['name'].startswith(OURS) and not row['name'].endswith(AGAIN)


# ---- the page ----

def number(value):
    """With three digits that say something."""
    if value >= 1000:
        return f'{value:,.0f}'.replace(',', ' ')
    if value >= 100:
        return f'{value:.0f}'
    return f'{value:.1f}' if value >= 10 else f'{value:.3f}'


def spread(row, prefix=''):
    low, median, high = (row[prefix + key] for key in
                         ('low', 'median', 'high'))
    return f'{number(median)} ({number(low)} to {number(high)})'


def ratio(row):
    return (f"{row['ratio']:.3f} ({row['ratio_low']:.3f} to "
            f"{row['ratio_high']:.3f}) {row['rival']}")


def line(*cells):
    return '| ' + ' | '.join(cells) + ' |\n'


def server_row(row):
    return line(row['name'], spread(row),
                number(row['rate_median']) if 'rate_median' in row else '',
                ratio(row) if 'ratio' in row else '', str(row['count']))


def server_table(table):
    head = line('server', table['unit'], 'requests/s', 'ratio to its rival',
                'slices')
    return head + '|---|---|---|---|---|\n' + ''.join(
        server_row(row) for row in table['rows'] if is_measured(row))


def figure_table(table):
    head = line('', table['unit']) + '|---|---|\n'
    return head + ''.join(line(row['name'], spread(row))
                          for row in table['rows'] if is_measured(row))


def absent(table):
    names = [row['name'] for row in table['rows'] if not is_measured(row)]
    return f"\nNot measured here: {', '.join(names)}.\n" if names else ''


def table_text(table):
    serves = table['unit'].startswith('us')
    text = server_table(table) if serves else figure_table(table)
    return f"\n**{table['title']}**\n\n{text}{absent(table)}"


def section_text(run, section):
    texts = [table_text(t) for t in tables_of(run, section)]
    return ''.join(texts) or '\nNot measured in this run.\n'


def conditions_text(run):
    machine = run['machine']
    virtual = ', a virtual machine' if machine['virtual'] else ''
    pinned = ('servers bound to one, the load to another'
              if run['processors_used'] > 1 else 'shared by servers and load')
    return f'''
| | |
|---|---|
| processor | {machine['processor']}{virtual} |
| processors | {machine['processors']}, {pinned} |
| memory | {machine['memory_gib']} GiB |
| system | {machine['system']} |
| compiler | {machine['compiler']} |
| congestion control of loopback | {machine['congestion_control']} |
| commit | {run['commit']} |
| command | `{run['command']}` |
| slices of a row | at most {run['rounds']} of {run['slice_ms']} ms |
'''


def losses(run):
    """Rows of ours whose ratio is above 1 in 19 of 20 cases."""
    for table in run['tables']:
        for row in table['rows']:
            if is_ours(row) and row.get('ratio_low', 0) > 1:
                yield table, row


def losses_text(run):
    rows = sorted(losses(run), key=lambda pair: -pair[1]['ratio'])
    if not rows:
        return '\nNowhere in this run.\n'
    return '\n' + line('table', 'server', 'ratio') + '|---|---|---|\n' + \
        ''.join(line(t['title'], r['name'], ratio(r)) for t, r in rows)


def block_text(run, name):
    if name == 'conditions':
        return conditions_text(run)
    if name == 'losses':
        return losses_text(run)
    return section_text(run, name.removeprefix('section '))


def fill(run, page):
    return BLOCK.sub(lambda m: f'<!-- {m[1]} -->\n{block_text(run, m[1])}\n'
                     '<!-- end -->\n', page)


# ---- the pictures ----

STYLE = '''set terminal svg size {width},{height} font 'sans-serif,12' noenhanced
set encoding utf8
set grid lc rgb '#dddddd'
set border 3
set tics nomirror
set title "{title}"
'''
COLOURS = ('#555555', '#1f6fb4', '#999999', '#2a9d4a', '#bbaa88', '#c65d21')


def growth_plot(run):
    tables = [t for t in tables_of(run, 'growth') if 'connections' in t]
    names = [row['name'] for row in tables[0]['rows']
             if not row['name'].endswith(AGAIN)]
    data, curves = '', []
    for i, name in enumerate(names):
        points = [(t['connections'], row) for t in tables for row in t['rows']
                  if row['name'] == name and is_measured(row)]
        data += f'$d{i} << EOD\n' + ''.join(
            f"{n} {row['median']} {row['low']} {row['high']}\n"
            for n, row in points) + 'EOD\n'
        curves.append(f"$d{i} using 1:2 with linespoints lw 2 pt 7 ps 0.6 "
                      f"lc rgb '{COLOURS[i % len(COLOURS)]}' title '{name}'")
    title = 'us of processor time for an echo of 64 bytes'
    return STYLE.format(width=760, height=380, title=title) + data + \
        "set logscale x\nset key bottom right\nset yrange [0:*]\n" + \
        f"set xlabel 'connections'\nplot {', '.join(curves)}\n"


def bars(width, title, rows, low, middle, high, line_at=None):
    """A horizontal mark with its bounds for each of (rows): (label, row)."""
    data = '$d << EOD\n' + ''.join(
        f'{row[middle]} {row[low]} {row[high]} {i} "{label}"\n'
        for i, (label, row) in enumerate(rows)) + 'EOD\n'
    mark = f"set arrow from {line_at}, graph 0 to {line_at}, graph 1 nohead " \
        "lc rgb '#c65d21'\n" if line_at else ''
    return STYLE.format(width=width, height=80 + 22 * len(rows),
                        title=title) + data + \
        mark + f'set yrange [{len(rows) - 0.5}:-0.5]\nset xrange [0:*]\n' \
        "unset key\nset bmargin 3\nplot $d using 1:4:2:3:ytic(5) with " \
        "xerrorbars pt 7 ps 0.7 lw 2 lc rgb '#1f6fb4'\n"


def server_plot(table):
    rows = [(row['name'], row) for row in table['rows'] if is_measured(row)]
    title = f"{table['title']}: us of processor time for a request"
    return bars(760, title, rows, 'low', 'median', 'high')


def ratio_plot(run):
    rows = [(f"{table['title']}: {row['name']}", row)
            for section in ('echo', 'hello', 'churn', 'files')
            for table in tables_of(run, section) for row in table['rows']
            if is_ours(row) and 'ratio' in row]
    return bars(1000, 'Processor time as a multiple of the rival\'s', rows,
                'ratio_low', 'ratio', 'ratio_high', 1)


def plots(run):
    """The pictures, by name, as what gnuplot is told."""
    found = {}
    if tables_of(run, 'growth'):
        found['growth'] = growth_plot(run)
    for section in ('echo', 'hello', 'churn', 'files'):
        for i, table in enumerate(tables_of(run, section), 1):
            found[f'{section}-{i}'] = server_plot(table)
    if found:
        found['ratio'] = ratio_plot(run)
    return found


def prune(svg):
    """Without groups of nothing, marks that nobody uses, and blanks."""
    svg = re.sub(r'<g [^>]*>\s*</g>', '', svg)
    svg = re.sub(r'<filter .*?</filter>', '', svg, flags=re.S)
    used = set(re.findall(r"xlink:href='#(\w+)'", svg))
    svg = re.sub(r"<(?:path|rect|circle|use) [^>]*?id='(\w+)'[^>]*/>",
                 lambda m: m[0] if m[1] in used else '', svg)
    lines = (' '.join(line.split()) for line in svg.splitlines())
    return '\n'.join(line for line in lines if line) + '\n'


def draw(run, into):
    """Without the name of the program that drew, and with that of the data."""
    for name, plot in plots(run).items():
        svg = subprocess.run(['gnuplot'], input=plot, capture_output=True,
                             text=True, check=True, timeout=60).stdout
        svg = re.sub(r'<desc>.*?</desc>', f"<desc>{FIGURES} {run['hash']}"
                     '</desc>', svg, flags=re.S)
        (into / f'{name}.svg').write_text(prune(svg))


# ---- what was kept ----

def page_faults(run, page):
    made = fill(run, page)
    for old, new in zip(page.split('\n'), made.split('\n')):
        if old != new:
            yield f'the page says: {old}\nthe figures: {new}'
    if page.count('\n') != made.count('\n'):
        yield 'the page has more or fewer lines than the figures'


def picture_faults(run, page, folder):
    shown = set(re.findall(r'\]\(performance/([a-z0-9-]+)\.svg\)', page))
    wanted = set(plots(run))
    kept = {p.stem for p in folder.glob('*.svg')}
    for name in sorted(shown ^ wanted | kept ^ wanted):
        yield f'{name}.svg is not both drawn and shown'
    for name in sorted(kept & wanted):
        text = (folder / f'{name}.svg').read_text()
        if f"{FIGURES} {run['hash']}" not in text:
            yield f'{name}.svg shows other figures'


def privacy_faults(run):
    """What is public names no folder: the only slash is that of ./sill."""
    for text in [run['command'], run['commit'], *map(str,
                                                     run['machine'].values())]:
        if '/' in text.replace('./sill', ''):
            yield f'there is a path in: {text}'


def check(run, page, folder):
    faults = [*page_faults(run, page), *picture_faults(run, page, folder),
              *privacy_faults(run)]
    if 'losses' not in [m[1] for m in BLOCK.finditer(page)]:
        faults.append('the page does not say where sill loses')
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def main(words):
    if len(words) != 4 or words[1] not in ('write', 'check', 'draw'):
        print(__doc__, file=sys.stderr)
        return 2
    if words[1] == 'draw':
        draw(read_figures(pathlib.Path(words[2])), pathlib.Path(words[3]))
        return 0
    page, folder = pathlib.Path(words[2]), pathlib.Path(words[3])
    run = read_figures(folder)
    if words[1] == 'check':
        return check(run, page.read_text(), folder)
    for picture in folder.glob('*.svg'):
        picture.unlink()
    draw(run, folder)
    page.write_text(fill(run, page.read_text()))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv))
