/* Our libsodium and another one in one program, each used before and after the other. */
#include <sodium.h>
#include <stdio.h>

int plugin(void);

static int sodium(void) {
    unsigned char public_key[crypto_sign_PUBLICKEYBYTES], secret_key[crypto_sign_SECRETKEYBYTES];
    unsigned char signature[crypto_sign_BYTES];
    const unsigned char text[] = "text";
    return sodium_init() < 0 || crypto_sign_keypair(public_key, secret_key) != 0 ||
           crypto_sign_detached(signature, NULL, text, sizeof text, secret_key) != 0 ||
           crypto_sign_verify_detached(signature, text, sizeof text, public_key) != 0;
}

int main(void) {
    puts(sodium_version_string());
    return plugin() == 0 && sodium() == 0 && plugin() == 0 && sodium() == 0 ? 0 : 1;
}
