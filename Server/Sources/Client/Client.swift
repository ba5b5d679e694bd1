// SPDX-License-Identifier: Apache-2.0

// Client is the other end of the server's addresses: it reads span files of many formats and sends
// them to any OTLP/HTTP receiver, and it asks the native API. It owns the file formats that only
// files have (the bench corpus, CSV) and the cutting of endless JSON into elements. It never prints
// and never decides what a person is told beyond the text of its errors.
//
// Invariants: a file is read forwards through one bounded buffer, whatever its size; what is sent
// is counted exactly.
