#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Who may include and name whom, read from the sources of the tree at (first
# argument). Include paths and the linker enforce most of this as well; here it
# is said with the file and the line.
set -u

cd "$1" || exit 1
wrong=$(mktemp) # a variable would be lost with the subshell of a pipeline
trap 'rm -f "$wrong"' EXIT

# Prints the C files and headers below the folders, without backends that are
# examples, built from what was installed, or a test of the conformance kit.
sources() {
    find "$@" -name '*.[ch]' ! -path 'examples/backend-*' \
        ! -path 'conformance/test/bare.c' | sort
}

# refuse WHY: no line may arrive.
refuse() {
    lines=$(cat)
    if [ -n "$lines" ]; then
        printf '%s:\n%s\n' "$1" "$lines" | tee -a "$wrong" >&2
    fi
}

# includes FILES: file:line:<header> or file:line:"header"
includes() {
    grep -HnoE '^#include +[<"][^>"]+[>"]' "$@" | sed 's/#include *//'
}

# What C11 and POSIX have, and the few files of Linux beside it.
libc='<(alloca|arpa/inet|assert|ctype|dirent|errno|fcntl|fenv|float|getopt|'
libc=$libc'ifaddrs|inttypes|limits|locale|math|net/if|netdb|netinet/in|'
libc=$libc'netinet/tcp|poll|pthread|sched|semaphore|setjmp|signal|stdalign|'
libc=$libc'stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|'
libc=$libc'string|strings|sys/(auxv|epoll|eventfd|ioctl|mman|prctl|random|'
libc=$libc'resource|select|sendfile|signalfd|socket|stat|syscall|time|'
libc=$libc'timerfd|types|uio|un|utsname|wait)|time|ucontext|unistd|wchar|'
libc=$libc'linux/[a-z0-9_]+|emmintrin|malloc|termios|sys/file|sys/statfs)\.h>'
api='<sill/[a-z_]+\.h>'
protocol='[<"]sill_[a-z]+\.h[>"]'

[ -n "$(sources api protocols conformance examples backends)" ] ||
    echo "no sources below $1" | refuse "nothing to look at"

# The interface sees itself; what is written through it sees no more.
# shellcheck disable=SC2046
includes $(sources api/sill) $(find api -maxdepth 1 -name '*.c') |
    grep -vE ":($libc|$api)$|^api/[a-z]+\.c:[0-9]+:\"text\.h\"$" |
    refuse "api/ sees <sill/...> and libc"

# shellcheck disable=SC2046
includes $(sources protocols conformance examples) | grep ':"text\.h"$' |
    refuse "text.h is for libsill alone"

# shellcheck disable=SC2046
includes $(sources api/test) |
    grep -vE ":($libc|$api|<check\.h>|\"[a-z_]+\.h\")$" |
    refuse "api/test/ sees <sill/...>, libc and Check"

# shellcheck disable=SC2046
includes $(sources protocols) |
    grep -vE ":($libc|$api|\"[a-z_./]+\")$" |
    grep -vE '/test/[^:]*:[0-9]+:<check\.h>$' |
    grep -vE '^protocols/([a-z0-9]+)/[^:]*:[0-9]+:<sill_\1(_[a-z]+)?\.h>$' |
    refuse "protocols/ see <sill/...>, libc and themselves"

# Bytes in, meaning out.
# shellcheck disable=SC2046
includes $(find protocols \( -name 'codec*.[ch]' -o -name scan.h \
    -o -name framing.h \) \
    ! -path '*/test/*') |
    grep -vE ":($libc|<sill/attributes\.h>|[<\"]sill_[a-z]+_message\.h[>\"]|\"(codec[a-z_]*|scan|framing)\.h\")$" |
    refuse "a codec sees libc"

# shellcheck disable=SC2046
includes $(sources conformance) |
    grep -vE ":($libc|$api|\"[a-z_]+\.h\")$" |
    refuse "conformance/ sees <sill/...> and libc"

# Some examples bring a loop for sill to live in: these know it, by header and
# by name.
hosts='^examples/((embed-[a-z-]+|uv-app|event-app)\.c|node/[a-z]+\.c)$'
loop='<(glib|systemd/sd-event|ev|node_api|uv|event2/[a-z]+)\.h>'
guests=$(sources examples | grep -vE "$hosts")

# shellcheck disable=SC2086
includes $guests | grep -vE ":($libc|$api|$protocol|\"tasks\.h\")$" |
    grep -vE '^examples/([a-z-]+)(\.c|/[a-z]+\.c):[0-9]+:"(\1/)?\1\.h"$' |
    refuse "examples/ see <sill/...>, protocols and libc"

# shellcheck disable=SC2046
includes $(sources examples | grep -E "$hosts") |
    grep -vE ":($libc|$api|$protocol|\"tasks\.h\"|$loop)$" |
    refuse "examples/ with a loop see that, <sill/...>, protocols and libc"

# Nobody on this side knows a backend by name, nor what backends are given.
# shellcheck disable=SC2046
grep -HnEi 'sill_spi|sill_core_|backends/|sill_backend_(native|default)|"native"' \
    $(sources protocols conformance examples api/sill api/test) |
    grep -vE '^api/sill/task\.h:[0-9]+:.*such as "native"' |
    refuse "what a backend is given is named"

# shellcheck disable=SC2046,SC2086
grep -HnEi 'libuv|libevent|\buv_|\bevent_base|sill/embed' \
    $(sources protocols conformance api/sill api/test) $guests |
    grep -vE '^api/sill/guest\.h:[0-9]+: \*     <sill/[a-z]+\.h> ' |
    refuse "a backend is named"

# A backend knows no other; what they share knows none.
for backend in backends/*/; do
    backend=${backend%/}
    name=${backend#backends/}
    for other in backends/*/; do
        other=${other%/}
        other=${other#backends/}
        [ "$other" = "$name" ] || [ "$other" = common ] ||
            grep -rHnE --include='*.[chS]' --exclude-dir=test \
                "\b(sill_backend_$other|\"$other\"|$other/)" "$backend"
    done
done | refuse "a backend knows another one"

# shellcheck disable=SC2046
grep -HnE '[<"](uv|event|event2/[a-z]+)\.h[>"]|\b(uv|event|bufferevent)_[a-z]+\(' \
    $(sources backends/common api) | refuse "common/ knows a loop"

# Backends share a silhouette: the entries, the default, and one header for
# programs. A poller has no more; who brings a transport has files for it, too.
for backend in backends/*/; do
    [ "$backend" = backends/common/ ] ||
        (cd "$backend" && find . -name '*.[chS]' ! -path './test/*' | sort | tr '\n' ' ' &&
            echo "in $backend $(grep -l '&sill_core_sockets' backend.c)")
done | grep -vE '^\./backend\.c \./default\.c \./sill/[a-z]+\.h in .* backend\.c$' |
    grep -vE '^\./backend\.c (\./[a-z]+\.[ch] )*\./default\.c (\./[a-z/]+\.[ch] )*in [^ ]* $' |
    refuse "not the files of the other backends"

[ ! -s "$wrong" ]
