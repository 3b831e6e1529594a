#include "engine/rpc/refused_credentials.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <absl/strings/strip.h>
#include <arpa/inet.h>

#include <algorithm>
#include <utility>

namespace sgl::engine {
namespace {

constexpr char kOthers[] = "others";
constexpr char kUnknown[] = "unknown";
// Finished minutes kept for a taker; beyond that the newest wait no longer.
constexpr size_t kFinishedMax = 2 * (RefusedCredentials::kSourcesMax + 1);

std::string Ipv6Network(const std::string& host) {
  in6_addr address;
  if (inet_pton(AF_INET6, host.c_str(), &address) != 1) return kUnknown;
  std::fill(address.s6_addr + 8, address.s6_addr + 16, 0);
  char text[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, &address, text, sizeof(text));
  return absl::StrCat(text, "/64");
}

absl::Time MinuteOf(absl::Time time) {
  return absl::UnixEpoch() +
         absl::Floor(time - absl::UnixEpoch(), absl::Minutes(1));
}

}  // namespace

std::string SourceOfPeer(absl::string_view peer) {
  if (absl::StartsWith(peer, "unix")) return "local";
  const bool is_ipv4 = absl::ConsumePrefix(&peer, "ipv4:");
  const bool is_ipv6 = !is_ipv4 && absl::ConsumePrefix(&peer, "ipv6:");
  const size_t colon = peer.rfind(':');
  if ((!is_ipv4 && !is_ipv6) || colon == absl::string_view::npos) {
    return kUnknown;
  }
  std::string host(peer.substr(0, colon));
  if (is_ipv4) {
    in_addr address;
    return inet_pton(AF_INET, host.c_str(), &address) == 1 ? host : kUnknown;
  }
  host = absl::StrReplaceAll(host,
                             {{"%5B", ""}, {"%5D", ""}, {"[", ""}, {"]", ""}});
  // A zone (`%25eth0`) is this machine's affair.
  return Ipv6Network(host.substr(0, host.find('%')));
}

void RefusedCredentials::Finish() {
  for (auto& [source, calls] : counts_) {
    if (finished_.size() >= kFinishedMax) break;
    finished_.push_back({minute_, source, calls});
  }
  counts_.clear();
}

void RefusedCredentials::Add(const std::string& source, absl::Time now) {
  const absl::Time minute = MinuteOf(now);
  MutexLock lock(mutex_);
  if (minute != minute_) {
    Finish();
    minute_ = minute;
  }
  const bool is_new = !counts_.contains(source);
  ++counts_[is_new && counts_.size() >= kSourcesMax ? kOthers : source];
}

std::vector<RefusedCredentials::Count> RefusedCredentials::TakeFinished(
    absl::Time now, bool everything) {
  MutexLock lock(mutex_);
  if (everything || MinuteOf(now) != minute_) Finish();
  std::vector<Count> taken = std::exchange(finished_, {});
  std::sort(taken.begin(), taken.end(), [](const Count& a, const Count& b) {
    return std::pair(a.minute, a.source) < std::pair(b.minute, b.source);
  });
  return taken;
}

}  // namespace sgl::engine
