// Loads time zones from the machine's time-zone data.
//
//   Zones zones = LoadZones(ZonesNamed(sources));
//   Compilation compilation = Compile(sources, zones);
//
// The only place that reads the time-zone data: everything below it gets a
// `Zones` value.

#ifndef BASE_ZONE_LOADER_H_
#define BASE_ZONE_LOADER_H_

#include <span>
#include <string>
#include <vector>

#include "base/zones.h"

namespace sgl {

// Returns the zones of these names and the version of the data they came
// from. Names that the machine does not know are left out.
Zones LoadZones(std::span<const std::string> names);

// Returns the names of the machine's zones, sorted; none where its data has no
// `tzdata.zi`.
std::vector<std::string> ZoneNames();

// Returns the version that the text of `tzdata.zi` states in its first line
// (`# version 2026f`), or `unknown`.
std::string TzdataVersion(const std::string& tzdata_text);

}  // namespace sgl

#endif  // BASE_ZONE_LOADER_H_
