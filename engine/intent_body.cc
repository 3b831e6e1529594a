#include "engine/intent_body.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>

#include <nlohmann/json.hpp>
#include <string>

#include "engine/text.h"

namespace sgl::engine {
namespace {

// A payload is kept as it came, for ever, and read by approvers: what would
// bring a provider's token in it is refused before it is stored. Only what the
// effect reads may be there (effects/integrations.cc), since a secret has many
// names.
void CheckBringsNoToken(const IntentBody& body,
                        std::vector<FieldError>* errors) {
  if (body.intent_type != "INTEGRATION_CONNECT") return;
  const auto payload = nlohmann::json::parse(body.payload, nullptr, false);
  if (!payload.is_object()) return;
  for (const auto& member : payload.items()) {
    if (member.key() == "provider" || member.key() == "scopes") continue;
    errors->push_back(
        {"payload",
         absl::StrCat("`", Cut(member.key(), 100),
                      "` is no field of INTEGRATION_CONNECT, which has "
                      "`provider` and `scopes`; tokens are set by `intentctl "
                      "integrations set-token`")});
    return;
  }
}

}  // namespace

void CheckJsonObject(absl::string_view field, absl::string_view json,
                     std::vector<FieldError>* errors) {
  if (json.size() > kPayloadBytesMax) {
    errors->push_back(
        {std::string(field),
         absl::StrCat("it has ", json.size(), " bytes; at most 256 KiB (",
                      kPayloadBytesMax, " bytes) are allowed")});
    return;
  }
  const absl::Status bounds = CheckPayloadBounds(json);
  if (!bounds.ok()) {
    // The field is named already.
    errors->push_back(
        {std::string(field),
         std::string(absl::StripPrefix(bounds.message(), "payload: "))});
  }
}

void CheckText(absl::string_view field, absl::string_view text, size_t max,
               std::vector<FieldError>* errors) {
  if (CharacterCount(text) > max) {
    errors->push_back(
        {std::string(field),
         absl::StrCat("it has ", CharacterCount(text), " characters; at most ",
                      max, " are allowed")});
  } else if (HasNul(text)) {
    errors->push_back({std::string(field), "it holds a NUL character"});
  }
}

void CheckIntentBody(const IntentBody& body, std::vector<FieldError>* errors) {
  if (body.intent_type.empty()) {
    errors->push_back({"intent_type", "it is required"});
  }
  CheckText("intent_type", body.intent_type, kIntentTypeMax, errors);
  const size_t before = errors->size();
  CheckJsonObject("payload", body.payload, errors);
  if (errors->size() == before) CheckBringsNoToken(body, errors);
  if (body.spend_micros_usd < 0) {
    errors->push_back({"spend_micros_usd", "it can't be negative"});
  }
}

}  // namespace sgl::engine
