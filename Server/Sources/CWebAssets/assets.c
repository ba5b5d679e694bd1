// SPDX-License-Identifier: Apache-2.0
// One entry a file of web/, in alphabetical order. WebAssetsTests fails when a file is missing here.
#include "CWebAssets.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

#define PAGE "text/html; charset=utf-8"
#define STYLE "text/css; charset=utf-8"
#define JAVASCRIPT "text/javascript; charset=utf-8"
#define DRAWING "image/svg+xml"

static const unsigned char api_js[] = {
#embed "../../web/api.js"
};
static const unsigned char app_js[] = {
#embed "../../web/app.js"
};
static const unsigned char bars_js[] = {
#embed "../../web/bars.js"
};
static const unsigned char base_css[] = {
#embed "../../web/base.css"
};
static const unsigned char chart_js[] = {
#embed "../../web/chart.js"
};
static const unsigned char colors_js[] = {
#embed "../../web/colors.js"
};
static const unsigned char compare_css[] = {
#embed "../../web/compare.css"
};
static const unsigned char compare_js[] = {
#embed "../../web/compare.js"
};
static const unsigned char csv_js[] = {
#embed "../../web/csv.js"
};
static const unsigned char diagnosis_js[] = {
#embed "../../web/diagnosis.js"
};
static const unsigned char dom_js[] = {
#embed "../../web/dom.js"
};
static const unsigned char editor_js[] = {
#embed "../../web/editor.js"
};
static const unsigned char find_stored_js[] = {
#embed "../../web/find-stored.js"
};
static const unsigned char find_js[] = {
#embed "../../web/find.js"
};
static const unsigned char first_run_js[] = {
#embed "../../web/first-run.js"
};
static const unsigned char flame_js[] = {
#embed "../../web/flame.js"
};
static const unsigned char form_js[] = {
#embed "../../web/form.js"
};
static const unsigned char format_js[] = {
#embed "../../web/format.js"
};
static const unsigned char frame_css[] = {
#embed "../../web/frame.css"
};
static const unsigned char gestures_js[] = {
#embed "../../web/gestures.js"
};
static const unsigned char heatmap_js[] = {
#embed "../../web/heatmap.js"
};
static const unsigned char help_js[] = {
#embed "../../web/help.js"
};
static const unsigned char histogram_js[] = {
#embed "../../web/histogram.js"
};
static const unsigned char index_html[] = {
#embed "../../web/index.html"
};
static const unsigned char keys_js[] = {
#embed "../../web/keys.js"
};
static const unsigned char live_js[] = {
#embed "../../web/live.js"
};
static const unsigned char map_canvas_js[] = {
#embed "../../web/map-canvas.js"
};
static const unsigned char map_data_js[] = {
#embed "../../web/map-data.js"
};
static const unsigned char map_svg_js[] = {
#embed "../../web/map-svg.js"
};
static const unsigned char map_view_js[] = {
#embed "../../web/map-view.js"
};
static const unsigned char map_css[] = {
#embed "../../web/map.css"
};
static const unsigned char map_js[] = {
#embed "../../web/map.js"
};
static const unsigned char mark_svg[] = {
#embed "../../web/mark.svg"
};
static const unsigned char minimap_js[] = {
#embed "../../web/minimap.js"
};
static const unsigned char notice_js[] = {
#embed "../../web/notice.js"
};
static const unsigned char omnibox_js[] = {
#embed "../../web/omnibox.js"
};
static const unsigned char overview_js[] = {
#embed "../../web/overview.js"
};
static const unsigned char pages_css[] = {
#embed "../../web/pages.css"
};
static const unsigned char pages_js[] = {
#embed "../../web/pages.js"
};
static const unsigned char panel_back_js[] = {
#embed "../../web/panel-back.js"
};
static const unsigned char panel_links_js[] = {
#embed "../../web/panel-links.js"
};
static const unsigned char panel_standing_js[] = {
#embed "../../web/panel-standing.js"
};
static const unsigned char panel_css[] = {
#embed "../../web/panel.css"
};
static const unsigned char panel_js[] = {
#embed "../../web/panel.js"
};
static const unsigned char panels_js[] = {
#embed "../../web/panels.js"
};
static const unsigned char plot_js[] = {
#embed "../../web/plot.js"
};
static const unsigned char present_js[] = {
#embed "../../web/present.js"
};
static const unsigned char query_text_js[] = {
#embed "../../web/query-text.js"
};
static const unsigned char question_js[] = {
#embed "../../web/question.js"
};
static const unsigned char range_js[] = {
#embed "../../web/range.js"
};
static const unsigned char red_js[] = {
#embed "../../web/red.js"
};
static const unsigned char results_js[] = {
#embed "../../web/results.js"
};
static const unsigned char scale_js[] = {
#embed "../../web/scale.js"
};
static const unsigned char search_charts_js[] = {
#embed "../../web/search-charts.js"
};
static const unsigned char search_tabs_js[] = {
#embed "../../web/search-tabs.js"
};
static const unsigned char search_views_css[] = {
#embed "../../web/search-views.css"
};
static const unsigned char search_css[] = {
#embed "../../web/search.css"
};
static const unsigned char search_js[] = {
#embed "../../web/search.js"
};
static const unsigned char service_js[] = {
#embed "../../web/service.js"
};
static const unsigned char services_js[] = {
#embed "../../web/services.js"
};
static const unsigned char sparkline_js[] = {
#embed "../../web/sparkline.js"
};
static const unsigned char status_js[] = {
#embed "../../web/status.js"
};
static const unsigned char system_js[] = {
#embed "../../web/system.js"
};
static const unsigned char table_js[] = {
#embed "../../web/table.js"
};
static const unsigned char tags_js[] = {
#embed "../../web/tags.js"
};
static const unsigned char texts_compare_js[] = {
#embed "../../web/texts-compare.js"
};
static const unsigned char texts_first_run_js[] = {
#embed "../../web/texts-first-run.js"
};
static const unsigned char texts_frame_js[] = {
#embed "../../web/texts-frame.js"
};
static const unsigned char texts_live_js[] = {
#embed "../../web/texts-live.js"
};
static const unsigned char texts_map_js[] = {
#embed "../../web/texts-map.js"
};
static const unsigned char texts_overview_js[] = {
#embed "../../web/texts-overview.js"
};
static const unsigned char texts_panel_js[] = {
#embed "../../web/texts-panel.js"
};
static const unsigned char texts_parts_js[] = {
#embed "../../web/texts-parts.js"
};
static const unsigned char texts_search_js[] = {
#embed "../../web/texts-search.js"
};
static const unsigned char texts_services_js[] = {
#embed "../../web/texts-services.js"
};
static const unsigned char texts_system_js[] = {
#embed "../../web/texts-system.js"
};
static const unsigned char texts_trace_file_js[] = {
#embed "../../web/texts-trace-file.js"
};
static const unsigned char texts_trace_views_js[] = {
#embed "../../web/texts-trace-views.js"
};
static const unsigned char texts_trace_js[] = {
#embed "../../web/texts-trace.js"
};
static const unsigned char texts_js[] = {
#embed "../../web/texts.js"
};
static const unsigned char theme_js[] = {
#embed "../../web/theme.js"
};
static const unsigned char time_js[] = {
#embed "../../web/time.js"
};
static const unsigned char timeline_js[] = {
#embed "../../web/timeline.js"
};
static const unsigned char trace_address_js[] = {
#embed "../../web/trace-address.js"
};
static const unsigned char trace_analysis_js[] = {
#embed "../../web/trace-analysis.js"
};
static const unsigned char trace_bar_js[] = {
#embed "../../web/trace-bar.js"
};
static const unsigned char trace_file_js[] = {
#embed "../../web/trace-file.js"
};
static const unsigned char trace_grown_js[] = {
#embed "../../web/trace-grown.js"
};
static const unsigned char trace_head_js[] = {
#embed "../../web/trace-head.js"
};
static const unsigned char trace_keys_js[] = {
#embed "../../web/trace-keys.js"
};
static const unsigned char trace_logs_js[] = {
#embed "../../web/trace-logs.js"
};
static const unsigned char trace_paths_js[] = {
#embed "../../web/trace-paths.js"
};
static const unsigned char trace_source_js[] = {
#embed "../../web/trace-source.js"
};
static const unsigned char trace_table_js[] = {
#embed "../../web/trace-table.js"
};
static const unsigned char trace_views_css[] = {
#embed "../../web/trace-views.css"
};
static const unsigned char trace_css[] = {
#embed "../../web/trace.css"
};
static const unsigned char trace_js[] = {
#embed "../../web/trace.js"
};
static const unsigned char traceql_js[] = {
#embed "../../web/traceql.js"
};
static const unsigned char trv1_js[] = {
#embed "../../web/trv1.js"
};

#define ASSET(name, symbol, type) { name, symbol, sizeof symbol, type }

static const cweb_asset assets[] = {
    ASSET("api.js", api_js, JAVASCRIPT),
    ASSET("app.js", app_js, JAVASCRIPT),
    ASSET("bars.js", bars_js, JAVASCRIPT),
    ASSET("base.css", base_css, STYLE),
    ASSET("chart.js", chart_js, JAVASCRIPT),
    ASSET("colors.js", colors_js, JAVASCRIPT),
    ASSET("compare.css", compare_css, STYLE),
    ASSET("compare.js", compare_js, JAVASCRIPT),
    ASSET("csv.js", csv_js, JAVASCRIPT),
    ASSET("diagnosis.js", diagnosis_js, JAVASCRIPT),
    ASSET("dom.js", dom_js, JAVASCRIPT),
    ASSET("editor.js", editor_js, JAVASCRIPT),
    ASSET("find-stored.js", find_stored_js, JAVASCRIPT),
    ASSET("find.js", find_js, JAVASCRIPT),
    ASSET("first-run.js", first_run_js, JAVASCRIPT),
    ASSET("flame.js", flame_js, JAVASCRIPT),
    ASSET("form.js", form_js, JAVASCRIPT),
    ASSET("format.js", format_js, JAVASCRIPT),
    ASSET("frame.css", frame_css, STYLE),
    ASSET("gestures.js", gestures_js, JAVASCRIPT),
    ASSET("heatmap.js", heatmap_js, JAVASCRIPT),
    ASSET("help.js", help_js, JAVASCRIPT),
    ASSET("histogram.js", histogram_js, JAVASCRIPT),
    ASSET("index.html", index_html, PAGE),
    ASSET("keys.js", keys_js, JAVASCRIPT),
    ASSET("live.js", live_js, JAVASCRIPT),
    ASSET("map-canvas.js", map_canvas_js, JAVASCRIPT),
    ASSET("map-data.js", map_data_js, JAVASCRIPT),
    ASSET("map-svg.js", map_svg_js, JAVASCRIPT),
    ASSET("map-view.js", map_view_js, JAVASCRIPT),
    ASSET("map.css", map_css, STYLE),
    ASSET("map.js", map_js, JAVASCRIPT),
    ASSET("mark.svg", mark_svg, DRAWING),
    ASSET("minimap.js", minimap_js, JAVASCRIPT),
    ASSET("notice.js", notice_js, JAVASCRIPT),
    ASSET("omnibox.js", omnibox_js, JAVASCRIPT),
    ASSET("overview.js", overview_js, JAVASCRIPT),
    ASSET("pages.css", pages_css, STYLE),
    ASSET("pages.js", pages_js, JAVASCRIPT),
    ASSET("panel-back.js", panel_back_js, JAVASCRIPT),
    ASSET("panel-links.js", panel_links_js, JAVASCRIPT),
    ASSET("panel-standing.js", panel_standing_js, JAVASCRIPT),
    ASSET("panel.css", panel_css, STYLE),
    ASSET("panel.js", panel_js, JAVASCRIPT),
    ASSET("panels.js", panels_js, JAVASCRIPT),
    ASSET("plot.js", plot_js, JAVASCRIPT),
    ASSET("present.js", present_js, JAVASCRIPT),
    ASSET("query-text.js", query_text_js, JAVASCRIPT),
    ASSET("question.js", question_js, JAVASCRIPT),
    ASSET("range.js", range_js, JAVASCRIPT),
    ASSET("red.js", red_js, JAVASCRIPT),
    ASSET("results.js", results_js, JAVASCRIPT),
    ASSET("scale.js", scale_js, JAVASCRIPT),
    ASSET("search-charts.js", search_charts_js, JAVASCRIPT),
    ASSET("search-tabs.js", search_tabs_js, JAVASCRIPT),
    ASSET("search-views.css", search_views_css, STYLE),
    ASSET("search.css", search_css, STYLE),
    ASSET("search.js", search_js, JAVASCRIPT),
    ASSET("service.js", service_js, JAVASCRIPT),
    ASSET("services.js", services_js, JAVASCRIPT),
    ASSET("sparkline.js", sparkline_js, JAVASCRIPT),
    ASSET("status.js", status_js, JAVASCRIPT),
    ASSET("system.js", system_js, JAVASCRIPT),
    ASSET("table.js", table_js, JAVASCRIPT),
    ASSET("tags.js", tags_js, JAVASCRIPT),
    ASSET("texts-compare.js", texts_compare_js, JAVASCRIPT),
    ASSET("texts-first-run.js", texts_first_run_js, JAVASCRIPT),
    ASSET("texts-frame.js", texts_frame_js, JAVASCRIPT),
    ASSET("texts-live.js", texts_live_js, JAVASCRIPT),
    ASSET("texts-map.js", texts_map_js, JAVASCRIPT),
    ASSET("texts-overview.js", texts_overview_js, JAVASCRIPT),
    ASSET("texts-panel.js", texts_panel_js, JAVASCRIPT),
    ASSET("texts-parts.js", texts_parts_js, JAVASCRIPT),
    ASSET("texts-search.js", texts_search_js, JAVASCRIPT),
    ASSET("texts-services.js", texts_services_js, JAVASCRIPT),
    ASSET("texts-system.js", texts_system_js, JAVASCRIPT),
    ASSET("texts-trace-file.js", texts_trace_file_js, JAVASCRIPT),
    ASSET("texts-trace-views.js", texts_trace_views_js, JAVASCRIPT),
    ASSET("texts-trace.js", texts_trace_js, JAVASCRIPT),
    ASSET("texts.js", texts_js, JAVASCRIPT),
    ASSET("theme.js", theme_js, JAVASCRIPT),
    ASSET("time.js", time_js, JAVASCRIPT),
    ASSET("timeline.js", timeline_js, JAVASCRIPT),
    ASSET("trace-address.js", trace_address_js, JAVASCRIPT),
    ASSET("trace-analysis.js", trace_analysis_js, JAVASCRIPT),
    ASSET("trace-bar.js", trace_bar_js, JAVASCRIPT),
    ASSET("trace-file.js", trace_file_js, JAVASCRIPT),
    ASSET("trace-grown.js", trace_grown_js, JAVASCRIPT),
    ASSET("trace-head.js", trace_head_js, JAVASCRIPT),
    ASSET("trace-keys.js", trace_keys_js, JAVASCRIPT),
    ASSET("trace-logs.js", trace_logs_js, JAVASCRIPT),
    ASSET("trace-paths.js", trace_paths_js, JAVASCRIPT),
    ASSET("trace-source.js", trace_source_js, JAVASCRIPT),
    ASSET("trace-table.js", trace_table_js, JAVASCRIPT),
    ASSET("trace-views.css", trace_views_css, STYLE),
    ASSET("trace.css", trace_css, STYLE),
    ASSET("trace.js", trace_js, JAVASCRIPT),
    ASSET("traceql.js", traceql_js, JAVASCRIPT),
    ASSET("trv1.js", trv1_js, JAVASCRIPT),
};

const cweb_asset *cweb_assets(size_t *count) {
    *count = sizeof assets / sizeof assets[0];
    return assets;
}
