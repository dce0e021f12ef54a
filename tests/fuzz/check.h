#ifndef CONTACTS_TESTS_FUZZ_CHECK_H_
#define CONTACTS_TESTS_FUZZ_CHECK_H_

#include <cstdio>
#include <cstdlib>

// A property that must hold for every input.
#define FUZZ_CHECK(condition)                                              \
  do {                                                                     \
    if (!(condition)) {                                                    \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                        \
    }                                                                      \
  } while (false)

#endif  // CONTACTS_TESTS_FUZZ_CHECK_H_
