#include "engine/rpc/item_status.h"

#include "engine/rpc/status.h"

namespace sgl::engine {

void SetItemStatus(const absl::Status& status, Method method,
                   intent::v1::ItemStatus* item) {
  const PublicStatus shown = ToPublicStatus(status, MethodName(method));
  item->set_code(static_cast<int32_t>(shown.code));
  item->set_reason(shown.reason);
  item->set_message(shown.message);
}

}  // namespace sgl::engine
