// SPDX-License-Identifier: Apache-2.0
import Hummingbird
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import NIOCore
