// SPDX-License-Identifier: Apache-2.0

// SkeinModel is the vocabulary of the whole house: ids, times, attribute values, and spans as
// growable columns. It owns no policy and never touches a clock, a file or a socket.
//
// Invariants: times are unsigned nanoseconds since 1970, durations unsigned nanoseconds; a trace id
// is 128 bits, a 64-bit one has a zero high half; everything here is safe for any input bytes.
