// SPDX-License-Identifier: Apache-2.0

// SkeinTesting is for users' tests: a tracer that keeps its spans in memory, and questions to ask
// them. It never opens a socket.
