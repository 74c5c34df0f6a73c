// expect: (no match for .operator<<.|invalid operands to binary expression).*Secret

#include <iostream>

#include <dmq/core/secret.hpp>

int main() {
  const dmq::Secret password("s3cret");
#ifdef DMQ_MENDED
  std::cout << password.reveal();
#else
  std::cout << password;
#endif
}
