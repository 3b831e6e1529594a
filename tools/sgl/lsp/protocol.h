// The protocol's pieces as JSON, and safe ways into what an editor sent.

#ifndef TOOLS_SGL_LSP_PROTOCOL_H_
#define TOOLS_SGL_LSP_PROTOCOL_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "policy/source/source.h"
#include "tools/sgl/lsp/positions.h"

namespace sgl::tools {

using Json = nlohmann::json;

// Error codes of JSON-RPC and of the protocol.
inline constexpr int kParseError = -32700;
inline constexpr int kRequestError = -32600;
inline constexpr int kUnknownMethod = -32601;
inline constexpr int kParamsError = -32602;
inline constexpr int kNotInitialized = -32002;
inline constexpr int kRequestFailed = -32803;

// Returns what stands at a path of keys; null where anything on the way is
// missing.
const Json* JsonAt(const Json& value, std::initializer_list<const char*> keys);

// Each returns none where there is no such value of that type.
std::optional<std::string> StringAt(const Json& value,
                                    std::initializer_list<const char*> keys);
std::optional<int64_t> IntAt(const Json& value,
                             std::initializer_list<const char*> keys);
std::optional<Position> PositionAt(const Json& value,
                                   std::initializer_list<const char*> keys);

Json PositionJson(Position position);
Json RangeJson(const LineTable& lines, int32_t begin, int32_t end);
Json MarkdownJson(std::string text);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_PROTOCOL_H_
