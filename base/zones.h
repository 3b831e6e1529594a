// Time zones that a caller loaded for a policy: plain data, no I/O.
//
// A policy names zones (`hour(now, "America/Chicago")`); the compiler does no
// I/O, so its caller loads them (base/zone_loader.h) and hands them over.

#ifndef BASE_ZONES_H_
#define BASE_ZONES_H_

#include <absl/time/time.h>

#include <map>
#include <string>

namespace sgl {

struct Zones {
  // By IANA name, as the policy spells it. A name that could not be loaded is
  // left out; the compiler reports it as unknown.
  std::map<std::string, absl::TimeZone> by_name;
  // Version of the time-zone data, such as `2026f`; `unknown` where the data
  // does not say.
  std::string tzdata_version = "unknown";
};

}  // namespace sgl

#endif  // BASE_ZONES_H_
