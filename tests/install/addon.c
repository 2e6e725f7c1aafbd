/* An addon of Node that returns the result of plugin(). */
#include <node/node_api.h>

int plugin(void);

NAPI_MODULE_INIT() {
    napi_value result;
    (void)exports;
    return napi_create_int32(env, plugin(), &result) == napi_ok ? result : NULL;
}
