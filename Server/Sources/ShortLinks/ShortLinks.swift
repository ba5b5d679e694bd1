// SPDX-License-Identifier: Apache-2.0

// ShortLinks keeps addresses of the page under names of twelve characters, so that an address that is
// too long to be sent around can be. It owns one file beside the store's, `LINKS`, and the thread that
// reads and writes it. It never knows what is at an address, and never asks the store.
//
// Invariants: a name that was given leads to its address after any crash, and to no other ever; an
// address is valid when it is taken and again when it is given back; the file has a bound, and what is
// in it is never given up for something newer.
