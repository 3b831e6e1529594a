// What an intent is, as a request states it, and the bounds that submissions
// and edits hold it to.

#ifndef ENGINE_INTENT_BODY_H_
#define ENGINE_INTENT_BODY_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engine/error.h"
#include "policy/policy.h"

namespace sgl::engine {

inline constexpr size_t kIntentTypeMax = 200;  // Characters.

// What the rules judge, and what votes are bound to.
struct IntentBody {
  std::string intent_type = {};
  // The JSON text, kept to the byte.
  std::string payload = {};
  int64_t spend_micros_usd = 0;
  DataClass data_class = DataClass::kNone;
};

// Appends each thing that is wrong with the body.
void CheckIntentBody(const IntentBody& body, std::vector<FieldError>* errors);

// Appends what is wrong with a field that holds a JSON object, if anything is:
// not within the bounds of a payload.
void CheckJsonObject(absl::string_view field, absl::string_view json,
                     std::vector<FieldError>* errors);

// Appends what is wrong with a text field, if anything is: more than `max`
// characters, or a NUL.
void CheckText(absl::string_view field, absl::string_view text, size_t max,
               std::vector<FieldError>* errors);

}  // namespace sgl::engine

#endif  // ENGINE_INTENT_BODY_H_
