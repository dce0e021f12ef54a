#ifndef CONTACTS_CLIENT_LIB_TERMINAL_TEXT_H_
#define CONTACTS_CLIENT_LIB_TERMINAL_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace contacts::client {

// Whether `text` is well-formed UTF-8, as every string of the contract must be.
bool IsUtf8(absl::string_view text);

// Makes text that other people wrote safe to show on a terminal: control
// characters, which could move the cursor or recolour the screen, characters
// that reverse the direction of text, and bytes that are not UTF-8 each become
// one replacement character; line breaks and tabs become spaces.
std::string Printable(absl::string_view text);

// Columns that printable UTF-8 text takes on a terminal: none for combining
// marks, two for East Asian wide characters and emoji.
std::size_t DisplayWidth(absl::string_view text);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_LIB_TERMINAL_TEXT_H_
