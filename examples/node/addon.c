/* SPDX-License-Identifier: MIT */
/*
 * sill.node: an HTTP server of ours inside of Node's own loop.
 *
 *     const sill = require('./sill.node');
 *     sill.serve('hello', (error, port) => ...);    on 127.0.0.1
 *     sill.stop((error) => ...);
 *
 * Node lives while it serves. What answers is C: a task has a stack of its own,
 * on which V8 must not run. JavaScript is called by (done), on Node's stack.
 */
#include <sill/libuv.h>
#include <sill/sill.h>
#include <sill_http.h>

#include <node_api.h>
#include <stdbool.h>
#include <stdlib.h>

/* One for each thread of Node's that loads it: the main one, and workers. */
struct addon {
    napi_env env;
    napi_async_cleanup_hook_handle hook;
    struct sill_guest *guest;

    enum { IDLE, STARTING, SERVING, STOPPING } state;
    struct sill_listener listener;
    struct sill_trigger stop;
    char *body;
    size_t size;
    napi_ref callback; /* while STARTING or STOPPING */
};

/* ---- to JavaScript ---- */

static napi_value error_value(napi_env env, int error)
{
    napi_value text = NULL, value = NULL;

    (void)napi_create_string_utf8(env, sill_strerror(error), NAPI_AUTO_LENGTH,
                                  &text);
    (void)napi_create_error(env, NULL, text, &value);
    return value;
}

/* What a callback throws is uncaught: nobody is below it. */
static void call(napi_env env, napi_value function, int result)
{
    napi_value global = NULL, exception, args[2] = {NULL, NULL};

    (void)napi_get_global(env, &global);
    (void)napi_get_null(env, &args[0]);
    if (result < 0)
        args[0] = error_value(env, result);
    (void)napi_create_int32(env, result, &args[1]);
    if (napi_make_callback(env, NULL, global, function, 2, args, NULL) ==
            napi_pending_exception &&
        napi_get_and_clear_last_exception(env, &exception) == napi_ok)
        (void)napi_fatal_exception(env, exception);
}

static void forget(struct addon *addon)
{
    if (addon->callback)
        (void)napi_delete_reference(addon->env, addon->callback);
    addon->callback = NULL;
}

/* Calls back with (result), if there is anybody. */
static void tell(struct addon *addon, int result)
{
    napi_handle_scope scope;
    napi_value function;

    if (!addon->callback ||
        napi_open_handle_scope(addon->env, &scope) != napi_ok)
        return;
    if (napi_get_reference_value(addon->env, addon->callback, &function) ==
        napi_ok) {
        forget(addon);
        call(addon->env, function, result);
    }
    (void)napi_close_handle_scope(addon->env, scope);
}

/* ---- the tasks, and what is called when they have ended ---- */

static int answer(void *arg, struct sill_http_exchange *exchange)
{
    const struct addon *addon = arg;

    return sill_http_response_send(exchange, 200, addon->body, addon->size,
                                   SILL_NEVER);
}

static int run_server(void *arg)
{
    struct addon *addon = arg;
    struct sill_http_server server = {
        .handler = answer, .arg = addon, .stop = &addon->stop};

    return sill_http_serve(&server, &addon->listener, SILL_NEVER);
}

static void on_served(void *arg, int result)
{
    struct addon *addon = arg;

    addon->state = IDLE;
    free(addon->body);
    addon->body = NULL;
    tell(addon, result);
}

/* Returns the port. */
static int run_listen(void *arg)
{
    struct addon *addon = arg;
    struct sill_address address;

    int rc = sill_address_ip(&address, "127.0.0.1", 0);
    if (rc == 0)
        rc = sill_listener_listen(&addon->listener, &address, NULL);
    if (rc == 0)
        rc = sill_listener_local(&addon->listener, &address);
    return rc < 0 ? rc : address.port;
}

static void on_listening(void *arg, int port)
{
    struct addon *addon = arg;
    int rc = port;

    if (port >= 0)
        rc = sill_guest_start(addon->guest, run_server, addon, on_served, NULL);
    if (rc < 0) {
        sill_listener_close(&addon->listener);
        on_served(addon, rc);
        return;
    }
    addon->state = SERVING;
    tell(addon, port);
}

/* ---- from JavaScript ---- */

static void release(struct addon *addon)
{
    free(addon->body);
    addon->body = NULL;
    forget(addon);
}

static napi_value refuse(napi_env env, const char *why)
{
    (void)napi_throw_error(env, NULL, why);
    return NULL;
}

static struct addon *take_arguments(napi_env env, napi_callback_info info,
                                    napi_value *args, size_t count)
{
    void *addon = NULL;

    (void)napi_get_cb_info(env, info, &count, args, NULL, &addon);
    return addon;
}

static bool take_callback(struct addon *addon, napi_value value)
{
    napi_valuetype type;

    return napi_typeof(addon->env, value, &type) == napi_ok &&
           type == napi_function &&
           napi_create_reference(addon->env, value, 1, &addon->callback) ==
               napi_ok;
}

static bool take_body(struct addon *addon, napi_value value)
{
    if (napi_get_value_string_utf8(addon->env, value, NULL, 0, &addon->size) !=
        napi_ok)
        return false;
    addon->body = malloc(addon->size + 1);
    return addon->body &&
           napi_get_value_string_utf8(addon->env, value, addon->body,
                                      addon->size + 1, NULL) == napi_ok;
}

static napi_value serve(napi_env env, napi_callback_info info)
{
    napi_value args[2];
    struct addon *addon = take_arguments(env, info, args, 2);
    int rc = SILL_EINVAL;

    if (addon->state != IDLE)
        return refuse(env, "it serves already");
    if (take_body(addon, args[0]) && take_callback(addon, args[1]))
        rc = sill_guest_start(addon->guest, run_listen, addon, on_listening,
                              NULL);
    if (rc < 0) {
        release(addon);
        return refuse(env, sill_strerror(rc));
    }
    sill_trigger_init(&addon->stop, NULL, NULL);
    addon->state = STARTING;
    return NULL;
}

static napi_value stop(napi_env env, napi_callback_info info)
{
    napi_value callback;
    struct addon *addon = take_arguments(env, info, &callback, 1);

    if (addon->state != SERVING)
        return refuse(env, "it does not serve");
    if (!take_callback(addon, callback))
        return refuse(env, sill_strerror(SILL_EINVAL));
    addon->state = STOPPING;
    sill_resume(&addon->stop, 0);
    return NULL;
}

/* ---- a thread of Node's, from its beginning to its end ---- */

/* Runs inside the loop, whose present round closes our handles before Node
 * looks whether its hooks are gone. */
static void on_drained(void *arg)
{
    struct addon *addon = arg;

    if (sill_guest_detach(addon->guest) < 0)
        abort();
    (void)napi_remove_async_cleanup_hook(addon->hook);
    free(addon);
}

/* JavaScript has ended; the loop goes on until the hook is removed. */
static void on_unload(napi_async_cleanup_hook_handle hook, void *arg)
{
    struct addon *addon = arg;

    (void)hook;
    forget(addon);
    (void)sill_guest_drain(addon->guest, SILL_PAST, on_drained, addon);
}

static int attach(struct addon *addon)
{
    struct uv_loop_s *loop;

    if (napi_get_uv_event_loop(addon->env, &loop) != napi_ok ||
        napi_add_async_cleanup_hook(addon->env, on_unload, addon,
                                    &addon->hook) != napi_ok)
        return SILL_ENOMEM;

    int rc = sill_libuv_attach(loop, NULL, &addon->guest);

    if (rc < 0)
        (void)napi_remove_async_cleanup_hook(addon->hook);
    return rc;
}

/* The name that Node looks for. */
NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env,
                                                      napi_value exports);

napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
    struct addon *addon = calloc(1, sizeof(*addon));

    if (!addon)
        return refuse(env, sill_strerror(SILL_ENOMEM));
    addon->env = env;

    int rc = attach(addon);

    if (rc < 0) {
        free(addon);
        return refuse(env, sill_strerror(rc));
    }

    const napi_property_descriptor properties[] = {
        {.utf8name = "serve", .method = serve, .data = addon},
        {.utf8name = "stop", .method = stop, .data = addon}};

    (void)napi_define_properties(env, exports, 2, properties);
    return exports;
}
