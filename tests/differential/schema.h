// What a generated policy declares, in the generator's own terms: types and
// fields that expressions are made for and payloads are made of.

#ifndef TESTS_DIFFERENTIAL_SCHEMA_H_
#define TESTS_DIFFERENTIAL_SCHEMA_H_

#include <absl/strings/string_view.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/differential/random.h"

namespace sgl::tests {

enum class Kind {
  kBool,
  kInt,
  kDecimal,
  kUsd,
  kString,
  kSymbol,
  kTimestamp,
  kDuration,
  kEnum,
  kList,
  kRecord,
};

struct NamedType;

// A type as a policy writes it.
struct SglType {
  Kind kind = Kind::kBool;
  bool is_optional = false;
  std::vector<std::string> members;        // kEnum
  std::shared_ptr<const SglType> element;  // kList
  std::vector<NamedType> fields;           // kRecord

  // Returns it as SGL spells it; equal types spell alike.
  std::string Spell() const;
  SglType Required() const;
};

struct NamedType {
  std::string name;
  SglType type;
};

// Everything that a request generator must know of a policy.
struct Schema {
  bool has_star = false;
  std::vector<NamedType> star;
  std::map<std::string, std::vector<NamedType>> platform_types;
  // By slug, each tenant's own types.
  std::map<std::string, std::map<std::string, std::vector<NamedType>>> tenants;
};

// Returns a name as SGL needs it where a name is declared: words bare, others
// quoted.
std::string SpellName(absl::string_view name);

// Returns text as a string literal of SGL.
std::string SpellString(absl::string_view text);

// Returns some fields whose names begin with `prefix`, lists and records in
// them nested at most `depth` deep.
std::vector<NamedType> RandomFields(Random& random, absl::string_view prefix,
                                    int count_max, int depth);

// Texts that both literals and payloads draw from, so that they meet.
const std::vector<std::string>& TextPool();

// Symbols, likewise.
const std::vector<std::string>& SymbolPool();

// Literals of a scalar kind as SGL spells them. REQUIRES: not an enum.
const std::vector<std::string>& LiteralPool(Kind kind);

}  // namespace sgl::tests

#endif  // TESTS_DIFFERENTIAL_SCHEMA_H_
