/** `GET /`: the demo site as it is now. Self-contained; the script draws what `/live/events` sends. */
import { BASE_STYLE, type Page, page } from "./html.ts";
import { LIVE_SCRIPT } from "./liveScript.ts";

const STYLE = `${BASE_STYLE}
header{display:flex;gap:16px;align-items:baseline;flex-wrap:wrap}
header p{margin:0;flex:1;min-width:260px}
#link{font-size:13px}
#link::before{content:"";display:inline-block;width:8px;height:8px;border-radius:50%;margin-right:6px;background:var(--amber)}
#link.on::before{background:var(--green)}
.head{display:flex;justify-content:space-between;gap:16px;flex-wrap:wrap;align-items:baseline}
.figure{font-size:22px;font-weight:600}
.facts{display:flex;gap:26px;flex-wrap:wrap;margin:8px 0 12px}
.facts div{line-height:1.3}
svg{display:block;width:100%;height:auto}
svg text{font:11px system-ui,sans-serif;fill:var(--soft)}
.area{fill:var(--blue);fill-opacity:.22}.line{fill:none;stroke:var(--blue);stroke-width:1.6}
.limit{fill:none;stroke:var(--red);stroke-width:1.4;stroke-dasharray:5 3}
.track{fill:var(--track)}.applied{fill:var(--blue);fill-opacity:.28}.measured{fill:var(--blue)}
.axis{stroke:var(--line)}
.evses{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:10px 26px;margin-top:14px}
.evse .top{display:flex;justify-content:space-between;gap:8px;font-size:14px}
.chip{font-size:12px;border:1px solid var(--line);border-radius:99px;padding:0 8px;white-space:nowrap}
.good{color:var(--green)}.bad{color:var(--red)}.warn{color:var(--amber)}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(440px,100%),1fr));gap:16px;margin-top:16px}.columns .card{margin-top:0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
th{font-weight:500;color:var(--soft)}
td,th{text-align:left;padding:3px 10px 3px 0;border-bottom:1px solid var(--line);white-space:nowrap}td.text{white-space:normal}
td.number,th.number{text-align:right}
.key{display:flex;gap:18px;flex-wrap:wrap;font-size:12px;color:var(--soft);margin-top:10px}
.key i{display:inline-block;width:12px;height:10px;margin-right:5px;border-radius:2px;background:var(--track)}
.key .k2{background:var(--blue);opacity:.28}.key .k3{background:var(--blue)}
`;

const BODY = `<main>
<header>
<h1>Oli Move</h1>
<p class="soft">One scarce supply limit, shared among parked electric cars. Every plan, promise and bill can be checked.</p>
<span id="link" role="status">connecting</span>
</header>
<p class="soft"><a href="/docs">API</a> &middot; <a href="/openapi.json">openapi.json</a> &middot; <a href="/health">health</a> &middot; <a href="/live">this page as JSON</a> &middot; <span id="at"></span></p>
<noscript><div class="card">This page draws itself with a small script. Without it, <a href="/live">/live</a> has the same as JSON.</div></noscript>
<div id="groups"></div>
<div class="columns">
<section class="card" id="plans"></section>
<section class="card" id="bills"></section>
<section class="card" id="records"></section>
<section class="card" id="incidents"></section>
</div>
</main>
<script type="application/json" id="now">null</script>`;

const PAGE = page({ title: "Oli Move", style: STYLE, body: BODY, script: LIVE_SCRIPT });

/** With the picture of now in it, so that it is there at once; the stream goes on from there. */
export const livePage = (now: unknown): Page => ({
  ...PAGE,
  html: PAGE.html.replace('id="now">null<', () => `id="now">${JSON.stringify(now).replaceAll("<", "\\u003c")}<`),
});
