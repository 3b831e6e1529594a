// Families of rules: conditions that all test one value against constants, as
// large policies do, so that an index of every kind is made and hit.

#ifndef TESTS_DIFFERENTIAL_FAMILY_GENERATOR_H_
#define TESTS_DIFFERENTIAL_FAMILY_GENERATOR_H_

#include <string>

#include "tests/differential/expr_generator.h"
#include "tests/differential/random.h"
#include "tests/differential/schema.h"

namespace sgl::tests {

// Makes the conditions of one family. Confined to one policy.
class FamilyGenerator {
 public:
  // Picks the value that all conditions test. Views all three.
  FamilyGenerator(Random& random, ExprGenerator& exprs, const Scope& scope);

  // Returns the next member's condition.
  std::string Condition();

 private:
  enum class Form { kEqual, kIn, kRange, kOrder, kPrefix, kRegex };

  void PickSubject();
  std::string Atom(Form form);
  std::string Range() const;
  std::string Prefix() const;

  Random& random_;
  ExprGenerator& exprs_;
  const Scope& scope_;
  Kind kind_ = Kind::kInt;
  std::string subject_;
  std::string guard_;  // `has p`, where the subject may be missing
  Form form_ = Form::kEqual;
};

}  // namespace sgl::tests

#endif  // TESTS_DIFFERENTIAL_FAMILY_GENERATOR_H_
