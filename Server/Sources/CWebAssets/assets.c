// SPDX-License-Identifier: Apache-2.0
// What the page is served from, in alphabetical order: what scripts/bundle-page.sh makes of the
// modules and styles of web/, and what a browser takes as it stands there.
#include "CWebAssets.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

#if !__has_embed("../../web-bundle/app.js")
#error "the page is not bundled yet: run scripts/bundle-page.sh, which make build does"
#endif

#define PAGE "text/html; charset=utf-8"
#define STYLE "text/css; charset=utf-8"
#define JAVASCRIPT "text/javascript; charset=utf-8"
#define DRAWING "image/svg+xml"
#define WORDS "application/json"

static const unsigned char app_css[] = {
#embed "../../web-bundle/app.css"
};
static const unsigned char app_js[] = {
#embed "../../web-bundle/app.js"
};
static const unsigned char early_js[] = {
#embed "../../web-bundle/early.js"
};
static const unsigned char index_html[] = {
#embed "../../web/index.html"
};
static const unsigned char mark_svg[] = {
#embed "../../web/mark.svg"
};
static const unsigned char texts_en_json[] = {
#embed "../../web/texts-en.json"
};
static const unsigned char texts_zh_json[] = {
#embed "../../web/texts-zh.json"
};

#define ASSET(name, symbol, type) { name, symbol, sizeof symbol, type }

static const cweb_asset assets[] = {
    ASSET("app.css", app_css, STYLE),
    ASSET("app.js", app_js, JAVASCRIPT),
    ASSET("early.js", early_js, JAVASCRIPT),
    ASSET("index.html", index_html, PAGE),
    ASSET("mark.svg", mark_svg, DRAWING),
    ASSET("texts-en.json", texts_en_json, WORDS),
    ASSET("texts-zh.json", texts_zh_json, WORDS),
};

const cweb_asset *cweb_assets(size_t *count) {
    *count = sizeof assets / sizeof assets[0];
    return assets;
}
