/** The style of the acceptance sheet, for screen and paper. */
export const SHEET_CSS = `
:root { --ink: #1b1f24; --soft: #5b6470; --line: #d5dae0; --pass: #1a6b3a; --fail: #a3211d; --warn: #8a5a00; }
* { box-sizing: border-box; }
body {
  font: 14px/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; color: var(--ink);
  max-width: 60rem; margin: 2rem auto; padding: 0 1.5rem;
}
header {
  display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; border-bottom: 3px solid var(--ink);
  flex-wrap: wrap;
}
h1 { font-size: 1.6rem; margin: 0 0 .4rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .3rem; }
h3 { font-size: 1rem; margin: 1.1rem 0 .3rem; }
p { margin: .2rem 0; }
.counts { color: var(--soft); }
.facts { display: grid; grid-template-columns: repeat(3, 1fr); gap: .6rem 1.5rem; margin: 1rem 0 1.5rem; }
.facts dt { color: var(--soft); font-size: .8rem; }
.facts dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
col.what { width: 30%; }
col.verdict { width: 8.2rem; }
col.tick { width: 4.5rem; }
td, th {
  text-align: left; vertical-align: top; padding: .38rem .6rem .38rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere;
}
.group th { padding-top: 1.1rem; font-size: 1.05rem; border-bottom: 2px solid var(--ink); }
td a { color: inherit; text-decoration-color: var(--line); text-underline-offset: 3px; }
.badge {
  display: inline-block; padding: 0 .5rem; border-radius: 3px; border: 1.5px solid currentColor; font-size: .82rem;
  font-weight: 600; white-space: nowrap;
}
.badge.pass { color: var(--pass); }
.badge.fail { color: #fff; background: var(--fail); border-color: var(--fail); }
.badge.not-supported { color: var(--warn); }
.badge.not-tested { color: var(--soft); border-style: dashed; }
tr.not-tested td { color: var(--soft); }
.advice { color: var(--ink); padding-left: 1.1rem; text-indent: -1.1rem; }
.advice::before { content: "\\2192\\00a0\\00a0"; }
pre, code { font: 12px/1.5 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
pre { background: #f5f6f8; border: 1px solid var(--line); padding: .7rem .9rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.box { display: inline-block; width: 1em; height: 1em; border: 1.5px solid var(--ink); vertical-align: -.12em; }
.lines { display: grid; grid-template-columns: 1fr 1fr; gap: 3rem; }
.line { border-bottom: 1px solid var(--ink); height: 2.6rem; position: relative; }
.line span { position: absolute; bottom: .1rem; color: var(--soft); font-size: .8rem; }
.pdu { border-left: 3px solid var(--line); padding: .1rem 0 .1rem .8rem; margin: .5rem 0; font-size: 12.5px; }
.pdu p { overflow-wrap: anywhere; }
.pdu time { color: var(--soft); }
.pdu code { color: var(--soft); overflow-wrap: anywhere; display: block; }
@media (max-width: 40rem) { .facts { grid-template-columns: 1fr 1fr; } .lines { grid-template-columns: 1fr; } }
@media print {
  @page { margin: 16mm 14mm; }
body { margin: 0; padding: 0; max-width: none; font-size: 10.5pt; }
pre, code { font-size: 8.5pt; }
.pdu { font-size: 9pt; }
  tr, .pdu, .sign, pre { break-inside: avoid; }
h2, h3, .group { break-after: avoid; }
.evidence { break-before: page; }
  .badge.fail { color: var(--fail); background: none; border-width: 2.5px; }
}
`
