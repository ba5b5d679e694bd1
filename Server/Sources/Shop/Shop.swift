// SPDX-License-Identifier: Apache-2.0
import GRDB
import AsyncHTTPClient
import Skein
