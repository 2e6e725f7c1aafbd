/* Two Rust libraries in one program, each used before and after the other. */
#include <stddef.h>

int plugin(void);
size_t neighbour(void);

int main(void) {
    return plugin() == 0 && neighbour() == 9 && plugin() == 0 && neighbour() == 9 ? 0 : 1;
}
