#include "base/zone_loader.h"

#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace sgl {
namespace {

// Returns the first line of the file, or nothing where it can't be read.
std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string DataFolder() {
  const char* const configured = std::getenv("TZDIR");
  return configured != nullptr ? configured : "/usr/share/zoneinfo";
}

std::string InstalledVersion() {
  const std::string folder = DataFolder();
  const std::string version = TzdataVersion(FirstLine(folder + "/tzdata.zi"));
  if (version != "unknown") return version;
  // Some systems ship the bare version in a file of its own.
  const std::string bare = FirstLine(folder + "/+VERSION");
  return bare.empty() ? "unknown" : bare;
}

// absl also takes "Fixed/UTC..." names, "localtime" and file paths; a policy
// must mean the same everywhere, so only names of the data set pass.
bool IsZoneName(absl::string_view name) {
  if (name.empty() || name.front() == '/' || name.front() == ':') return false;
  if (name == "localtime" || absl::ConsumePrefix(&name, "Fixed/")) return false;
  return name.find("..") == absl::string_view::npos;
}

}  // namespace

Zones LoadZones(std::span<const std::string> names) {
  Zones zones;
  zones.tzdata_version = InstalledVersion();
  for (const std::string& name : names) {
    absl::TimeZone zone;
    if (IsZoneName(name) && absl::LoadTimeZone(name, &zone)) {
      zones.by_name.emplace(name, zone);
    }
  }
  return zones;
}

std::vector<std::string> ZoneNames() {
  std::vector<std::string> names;
  std::ifstream file(DataFolder() + "/tzdata.zi");
  // `Z NAME …` begins a zone, `L TARGET NAME` gives one a further name.
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words.size() > 2 && words[0] == "Z") names.push_back(words[1]);
    if (words.size() == 3 && words[0] == "L") names.push_back(words[2]);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string TzdataVersion(const std::string& tzdata_text) {
  absl::string_view line = tzdata_text;
  line = line.substr(0, line.find('\n'));
  if (!absl::ConsumePrefix(&line, "# version ") || line.empty()) {
    return "unknown";
  }
  return std::string(line);
}

}  // namespace sgl
