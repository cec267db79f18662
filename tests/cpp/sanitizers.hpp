// Which sanitizer a file is compiled with: compilers say so in two ways.
#pragma once

#ifdef __has_feature // Clang's
#if __has_feature(address_sanitizer)
#define TORCHDICOM_ADDRESS_SANITIZER
#elif __has_feature(thread_sanitizer)
#define TORCHDICOM_THREAD_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define TORCHDICOM_ADDRESS_SANITIZER
#elif defined(__SANITIZE_THREAD__)
#define TORCHDICOM_THREAD_SANITIZER
#endif
