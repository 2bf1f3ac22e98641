#include "base/build_id.h"

#include <link.h>

#include <string_view>

#include "base/bytes.h"

namespace aierase {
namespace {

// The linker's note "GNU", type 3, in the first object of the list: this program.
int find_build_id(dl_phdr_info* object, std::size_t, void* result) {
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = object->dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    // An address from the dynamic linker: there is no other way to it than this cast.
    const auto* at = reinterpret_cast<const char*>(object->dlpi_addr + header.p_vaddr);
    std::size_t left = header.p_memsz;
    while (left >= sizeof(ElfW(Nhdr))) {
      const auto* note = reinterpret_cast<const ElfW(Nhdr)*>(at);
      const std::size_t name = (note->n_namesz + 3U) & ~std::size_t{3};
      const std::size_t size = sizeof *note + name + ((note->n_descsz + 3U) & ~std::size_t{3});
      if (size > left) break;
      const char* label = at + sizeof *note;
      if (note->n_type == 3 &&
          std::string_view(label, note->n_namesz) == std::string_view("GNU", 4)) {
        *static_cast<std::string*>(result) =
            to_hex(as_bytes(std::string_view(label + name, note->n_descsz)));
        return 1;
      }
      at += size;
      left -= size;
    }
  }
  return 1;  // only the first object
}

}  // namespace

std::string build_id() {
  std::string build;
  dl_iterate_phdr(&find_build_id, &build);
  return build.empty() ? "unknown" : build;
}

}  // namespace aierase
