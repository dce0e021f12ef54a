#ifndef CONTACTS_CORE_DOMAIN_EMAIL_ADDRESS_H_
#define CONTACTS_CORE_DOMAIN_EMAIL_ADDRESS_H_

#include <string>

#include "absl/strings/string_view.h"

// E-mail addresses beyond ASCII (RFC 6531). All functions are pure.
namespace contacts {

// The text in Unicode's normal form C, in which addresses are kept. Text that is not UTF-8 stays as
// it is.
std::string ToNfc(absl::string_view text);

bool IsAscii(absl::string_view text);

// Whether `text` has a character that is not shown, such as U+200B or U+3164, and so could make one
// address look like another. The two joiners are not meant: some scripts need them, and
// WithAsciiDomain checks where they stand.
bool HasInvisible(absl::string_view text);

// The part before the at sign; empty without one.
absl::string_view LocalPartOf(absl::string_view address);

// The address with its domain in A-labels (UTS 46, RFC 5891): "josé@xn--exmple-cua.fr" for
// "josé@EXÄMPLE.fr". A domain in ASCII stays as it is. Empty if the domain has no such form.
std::string WithAsciiDomain(absl::string_view address);

// One spelling for all of an address: in NFC, its domain in A-labels and in lower case. Text that
// is no address stays as it is.
std::string ComparableEmailAddress(absl::string_view address);
bool SameEmailAddress(absl::string_view one, absl::string_view other);

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_EMAIL_ADDRESS_H_
