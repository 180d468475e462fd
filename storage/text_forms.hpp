// Forms of texts: what an e-mail address, a phone number, a date or a code looks like, and ways to
// write a text that count as one. Pure, total; any thread.
//
// White space is what Unicode calls White_Space, and the byte order mark. Small letters are made of
// capital ones in ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic; others stay as they are.
// Composed and decomposed letters (Unicode's NFC and NFD) are not brought together: that needs
// tables that no library of this program has. Bytes that are no UTF-8 stay as they are, too.
//
// Sources: RFC 5321 (lengths of addresses), ITU-T E.164, ISO 8601, ISO 3166-1, ISO 4217.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace inos {

// NAME@HOST as people use it: a host with a dot, letters beyond ASCII allowed, no quoted names and
// no address in brackets. Whether mail arrives there is another question.
bool is_email(std::string_view text);
bool is_e164(std::string_view text);      // + and 2 to 15 digits, the first not 0
bool is_iso_date(std::string_view text);  // YYYY-MM-DD, a day that exists
bool is_country(std::string_view text);   // two capital letters that ISO 3166-1 has assigned
bool is_currency(std::string_view text);  // three capital letters, in use by ISO 4217

std::size_t characters(std::string_view text);  // of well-formed UTF-8

std::string trimmed(std::string_view text);           // without white space at its ends
std::string lower_case(std::string_view text);        // see above
std::string spaces_collapsed(std::string_view text);  // each run of white space one space

// The first `bytes_max` bytes at most, cut between two characters and with "..." when cut.
std::string shortened(std::string_view text, std::size_t bytes_max);

}  // namespace inos
