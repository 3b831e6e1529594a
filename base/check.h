// Always-on assertions: for what can only fail when this program is wrong.
//
// What a policy author or the world can cause is never checked here: authors
// get diagnostics, the world becomes an absl::Status. A failed check prints
// its place, condition and values to stderr and aborts, in release builds too,
// because an engine that goes on after a broken invariant may act without
// authority.
//
//   SGL_CHECK(index < rules.size()) << "rule " << index;
//   SGL_CHECK_EQ(rows.size(), ids.size());

#ifndef BASE_CHECK_H_
#define BASE_CHECK_H_

#include <sstream>

namespace sgl {

// Collects the message of a failed check and aborts when it is destroyed.
// Used by the macros below only.
class CheckFailure {
 public:
  CheckFailure(const char* file, int line, const char* condition);
  CheckFailure(const CheckFailure&) = delete;
  CheckFailure& operator=(const CheckFailure&) = delete;
  [[noreturn]] ~CheckFailure();

  std::ostream& stream() { return stream_; }

 private:
  std::ostringstream stream_;
};

// Turns a stream expression into void, so that both arms of ?: agree.
struct CheckVoidify {
  void operator&(std::ostream&) const {}
};

}  // namespace sgl

#define SGL_CHECK(condition)    \
  (condition)                   \
      ? (void)0                 \
      : ::sgl::CheckVoidify() & \
            ::sgl::CheckFailure(__FILE__, __LINE__, #condition).stream()

#define SGL_CHECK_OP_(left, op, right)                                        \
  ((left)op(right))                                                           \
      ? (void)0                                                               \
      : ::sgl::CheckVoidify() &                                               \
            ::sgl::CheckFailure(__FILE__, __LINE__, #left " " #op " " #right) \
                    .stream()                                                 \
                << "(" << (left) << " vs " << (right) << ") "

// Each evaluates its arguments twice when it fails, once otherwise.
#define SGL_CHECK_EQ(left, right) SGL_CHECK_OP_(left, ==, right)
#define SGL_CHECK_NE(left, right) SGL_CHECK_OP_(left, !=, right)
#define SGL_CHECK_LT(left, right) SGL_CHECK_OP_(left, <, right)
#define SGL_CHECK_LE(left, right) SGL_CHECK_OP_(left, <=, right)
#define SGL_CHECK_GT(left, right) SGL_CHECK_OP_(left, >, right)
#define SGL_CHECK_GE(left, right) SGL_CHECK_OP_(left, >=, right)

#endif  // BASE_CHECK_H_
