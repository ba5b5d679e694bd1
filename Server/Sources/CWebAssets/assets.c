// SPDX-License-Identifier: Apache-2.0
// What the page is served from, in alphabetical order: the shell, and what scripts/bundle-page.sh
// makes of the other files of web/.
#include "CWebAssets.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

#if !__has_embed("../../web-bundle/app.js.gz")
#error "the page is not bundled yet: run scripts/bundle-page.sh, which make build does"
#endif

#define PAGE "text/html; charset=utf-8"
#define STYLE "text/css; charset=utf-8"
#define JAVASCRIPT "text/javascript; charset=utf-8"
#define DRAWING "image/svg+xml"
#define WORDS "application/json"

static const unsigned char app_css[] = {
#embed "../../web-bundle/app.css.gz"
};
static const unsigned char app_js[] = {
#embed "../../web-bundle/app.js.gz"
};
static const unsigned char early_js[] = {
#embed "../../web-bundle/early.js.gz"
};
static const unsigned char icons_svg[] = {
#embed "../../web-bundle/icons.svg.gz"
};
static const unsigned char index_html[] = {
#embed "../../web/index.html"
};
static const unsigned char mark_svg[] = {
#embed "../../web-bundle/mark.svg.gz"
};
static const unsigned char texts_en_json[] = {
#embed "../../web-bundle/texts-en.json.gz"
};
static const unsigned char texts_zh_json[] = {
#embed "../../web-bundle/texts-zh.json.gz"
};

#define PLAIN(name, symbol, type) { name, symbol, sizeof symbol, type, 0 }
#define GZIPPED(name, symbol, type) { name, symbol, sizeof symbol, type, 1 }

static const cweb_asset assets[] = {
    GZIPPED("app.css", app_css, STYLE),
    GZIPPED("app.js", app_js, JAVASCRIPT),
    GZIPPED("early.js", early_js, JAVASCRIPT),
    GZIPPED("icons.svg", icons_svg, DRAWING),
    PLAIN("index.html", index_html, PAGE),
    GZIPPED("mark.svg", mark_svg, DRAWING),
    GZIPPED("texts-en.json", texts_en_json, WORDS),
    GZIPPED("texts-zh.json", texts_zh_json, WORDS),
};

const cweb_asset *cweb_assets(size_t *count) {
    *count = sizeof assets / sizeof assets[0];
    return assets;
}
