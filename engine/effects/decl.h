// The declaration of an effect: what an intent type changes in the database
// when it is EXECUTED, and what its payload must be for that.
//
// A new effect is one entry in its family's file (families.h) and one statement
// in storage/queries/effects, named like the type in small letters. Nothing
// else is coded: the payload is held to the fields by the rule language, the
// statement does the work, and comments on constraints say what was wrong.

#ifndef ENGINE_EFFECTS_DECL_H_
#define ENGINE_EFFECTS_DECL_H_

#include <absl/strings/string_view.h>

#include <string>
#include <vector>

namespace sgl::engine {

// One field of a payload.
struct EffectField {
  absl::string_view name;
  // As SGL writes it: `string`, `int?`, `enum(credit, debit)`.
  absl::string_view type;
};

// All views are of string literals.
struct EffectDecl {
  absl::string_view intent_type;
  // What it does, in one sentence, for people who look it up.
  absl::string_view summary;
  // What the statement reads. A payload may hold more, for the rules.
  std::vector<EffectField> fields;
  // The members of the intent's output, all of them strings.
  std::vector<absl::string_view> output;
  // What the agent reads where a row that the payload names isn't there. Empty
  // where it names none.
  absl::string_view missing = "";
  // At least one of the optional fields must be given: without any there is
  // nothing to change.
  bool needs_change = false;
  // The tables that it writes; what their constraints refuse, it refuses.
  std::vector<absl::string_view> tables;
};

// Returns the payload's declaration as a policy has it:
// `{ ticket_id: string, body: string }`.
std::string PayloadDeclaration(const EffectDecl& decl);

}  // namespace sgl::engine

#endif  // ENGINE_EFFECTS_DECL_H_
