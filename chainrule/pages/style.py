"""How a page looks: the one place with CSS. Holds no content.

Quiet and book-like; light and dark by the reader's preference; readable on a telephone, where wide
formulas scroll in their own box; and on paper, where marks and words stand for the colours.
"""

from __future__ import annotations

from collections.abc import Mapping


def style(fonts: Mapping[str, str | None]) -> str:
    """The style sheet of a page, with its fonts: family → data: URI, None where there is none."""
    faces = (
        f'@font-face{{font-family:"{family}";src:url({uri}) format("woff")}}\n'
        for family, uri in fonts.items()
        if uri
    )
    return "".join(faces) + CSS


CSS = """\
:root{color-scheme:light dark;--paper:#fdfcf9;--ink:#1d1e20;--soft:#62656b;--line:#e2ded4;
 --tint:#f6f4ee;--link:#2b5c8a;--proved:#2c7348;--agrees:#1f6f7a;--inconclusive:#80640f;
 --disagrees:#a9501a;--refuted:#ab2f2f;
 --serif:"Page Signs","Iowan Old Style","Palatino Nova","Palatino Linotype",Palatino,Charter,
 "STIX Two Text","Source Serif 4",Georgia,"Noto Serif",serif;
 --sans:"Page Signs",system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;
 --mono:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;
 --math:"Page Math","STIX Two Math","Cambria Math","Latin Modern Math",math}
@media (prefers-color-scheme:dark){:root{--paper:#17181b;--ink:#e4e1da;--soft:#a09e97;
 --line:#35373c;--tint:#1f2125;--link:#8ab8e6;--proved:#7cc596;--agrees:#78c2cc;
 --inconclusive:#d9bd62;--disagrees:#e59a66;--refuted:#ee8f88}}
*{box-sizing:border-box}
html{background:var(--paper);color:var(--ink);font:1.0625rem/1.55 var(--serif);
 -webkit-text-size-adjust:100%;text-size-adjust:100%;scroll-padding-top:1rem}
body{margin:0 auto;padding:3rem 1.25rem 4rem;max-width:46rem;overflow-wrap:break-word}
a{color:var(--link);text-decoration:none}
a:hover{text-decoration:underline}
h1,h2,h3,h4{line-height:1.25;font-weight:600;margin:0;text-wrap:balance}
h1{font-size:2.1rem;letter-spacing:-.01em}
h2{font-size:1.5rem;margin:4rem 0 .5rem;padding-bottom:.35rem;border-bottom:1px solid var(--line)}
h3{font-size:1.22rem;margin:2.75rem 0 .15rem}
h4{font-size:1rem;margin:1.5rem 0 .2rem}
p{margin:.4rem 0}
code,pre{font-family:var(--mono);font-size:.83em}
pre{margin:.5rem 0;padding:.6rem .8rem;background:var(--tint);border-radius:4px;overflow-x:auto;
 line-height:1.5;white-space:pre}
.kicker,.where,.note,.soft,footer,summary,figcaption{color:var(--soft)}
.kicker{font:600 .74rem/1.4 var(--sans);letter-spacing:.09em;text-transform:uppercase;
 margin:0 0 .6rem}
.where{font-style:italic;margin:0 0 .5rem}
.lede{font-size:1.12rem;margin:1rem 0 .8rem}
.tally{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;list-style:none;margin:.6rem 0;padding:0}

nav{margin:2.2rem 0 0;font-size:.95rem;line-height:1.4}
nav h2{font:600 .74rem/1.4 var(--sans);letter-spacing:.09em;text-transform:uppercase;
 color:var(--soft);margin:0 0 .5rem;border:0;padding:0}
nav ol{list-style:none;margin:0;padding:0}
nav li{margin:.3rem 0}
nav>ol>li{margin:.7rem 0}
nav ol ol{padding-left:.9rem;border-left:1px solid var(--line);font-size:.9rem}
nav ol ol a{color:var(--ink)}

.steps{list-style:none;margin:0;padding:0;counter-reset:step}
.steps>li{counter-increment:step;position:relative;padding-left:2rem;margin:1.1rem 0}
.steps>li>h4{margin:0}
.steps>li>h4::before{content:counter(step);position:absolute;left:0;width:1.35rem;
 color:var(--soft);font-weight:400;text-align:right}
.line{display:flex;flex-wrap:wrap;align-items:center;gap:0 1.5rem;margin:.25rem 0}
.formula{overflow-x:auto;overflow-y:hidden;max-width:100%;padding:.3rem 0 .4rem;
 scrollbar-width:thin}
.note{font-size:.92rem;margin:0}
math{font-family:var(--math);font-size:1.06em}
math[display=block]{margin:0;width:max-content;text-align:left}
math[display=block] mtable{math-style:normal}
mtd{padding:.28em .5em}
mtd.left{text-align:left}
mtd.right{text-align:right;padding-right:0}
mtd.right+mtd.left{padding-left:0}
sup{font-size:.72em;line-height:0}
td math{math-style:normal}
mfrac{padding-inline:.12em}
mrow.under{padding-bottom:.3em;border-bottom:1px solid var(--soft);print-color-adjust:exact;
 -webkit-print-color-adjust:exact;
 background:linear-gradient(var(--soft),var(--soft)) 0 100%/1px .3em no-repeat,
 linear-gradient(var(--soft),var(--soft)) 100% 100%/1px .3em no-repeat}
pre.latex{margin:0;display:inline-block;max-width:100%;vertical-align:middle}

.claim{margin:1rem 0;padding:.7rem 1rem .6rem;border:1px solid var(--line);
 border-left:4px solid var(--status);border-radius:4px}
.claim>.claimed{margin:0 0 .5rem}
.claimed pre{margin:.2rem 0 0}
.label,dt,th{font:600 .74rem/1.5 var(--sans);color:var(--soft);letter-spacing:.01em}
.label{margin-right:.5rem}
.finding+.finding{border-top:1px solid var(--line);margin-top:.7rem;padding-top:.6rem}
.headline{margin:0;display:flex;flex-wrap:wrap;gap:.1rem .8rem;align-items:baseline}
.lede.headline{margin:.5rem 0 1.8rem}
.line.result{gap:0 .5rem;margin-top:.8rem}
.badge{font:600 .82rem/1.5 var(--sans);color:var(--status);white-space:nowrap}
.mark{font-family:var(--math);font-weight:400;font-size:1.1em;display:inline-block;min-width:1em}
.proved{--status:var(--proved)}.agrees{--status:var(--agrees)}
.inconclusive{--status:var(--inconclusive)}.disagrees{--status:var(--disagrees)}
.refuted{--status:var(--refuted)}
dl{display:grid;grid-template-columns:6.2rem minmax(0,1fr);gap:.15rem .8rem;margin:.45rem 0;
 font-size:.95rem;
 align-items:baseline}
dd{margin:0}
.witness{margin:.6rem 0;padding:.5rem .8rem;background:var(--tint);border-radius:4px;
 font-size:.95rem}
.witness p{margin:0}
.witness dl{margin:.25rem 0;grid-template-columns:5.4rem minmax(0,1fr)}
.witness dd{font-family:var(--mono);font-size:.83rem;overflow-wrap:anywhere;
 font-variant-numeric:tabular-nums}
.words{font-size:.95rem}
.unexpected{color:var(--refuted);font-weight:600}
details{margin:.4rem 0 0}
summary{font:.8rem/1.5 var(--sans);cursor:pointer}
details pre{white-space:pre-wrap}
.error{border-left:4px solid var(--line);padding-left:1rem}

.scroll{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;font-size:.95rem;width:100%}
th,td{text-align:left;vertical-align:middle;padding:.4rem 1rem .4rem 0;
 border-bottom:1px solid var(--line)}
th{border-bottom:1px solid var(--soft);white-space:nowrap}
td.figure,th.figure{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td:last-child,th:last-child{padding-right:0}
td.name{font-weight:600;white-space:nowrap}
td.shape{white-space:nowrap}
figure{margin:1.6rem 0}
.drawing{overflow-x:auto}
svg.plot{display:block;width:100%;height:auto;font-family:var(--sans)}
.wide svg.plot{min-width:34rem}
figcaption{font-size:.92rem;margin-top:.5rem}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(17rem,100%),1fr));gap:0 2.2rem}
footer{margin-top:4rem;padding-top:.8rem;border-top:1px solid var(--line);font-size:.85rem}

@media (min-width:70rem){
 body.book{max-width:67rem;display:grid;grid-template-columns:15rem minmax(0,46rem);gap:0 4rem;
  align-items:start}
 .book nav{grid-column:1;grid-row:1/4;position:sticky;top:2rem;margin:.3rem 0 0;font-size:.88rem;
  max-height:calc(100vh - 4rem);overflow-y:auto;scrollbar-width:thin}
 .book nav ol ol{font-size:.82rem}
 .book>header,.book>main,.book>footer{grid-column:2}
}
@media (max-width:32rem){
 html{font-size:1rem}
 body{padding:1.75rem 1rem 3rem}
 h1{font-size:1.7rem}
 .steps>li{padding-left:1.5rem}
 .steps>li>h4::before{width:.9rem}
 .claim{padding:.6rem .75rem .5rem}
 dl{grid-template-columns:4.3rem minmax(0,1fr);gap:.15rem .6rem}
 .witness dl{grid-template-columns:minmax(0,1fr);gap:0}
}
@media print{
 :root{--paper:#fff;--ink:#000;--soft:#444;--line:#bbb;--tint:#f4f4f4;--link:#000;--proved:#000;
  --agrees:#000;--inconclusive:#000;--disagrees:#000;--refuted:#000}
 @page{margin:18mm 17mm}
 html{font-size:10pt}
 body,body.book{display:block;max-width:none;padding:0}
 .book nav{position:static;max-height:none}
 h2{margin-top:2rem}
 h2,h3,h4,.where,.label,h2+.soft{break-after:avoid}
 tr,.soft{break-inside:avoid}
 .steps>li,.claim,figure,pre,.witness{break-inside:avoid}
 .formula,.drawing,.scroll{overflow:visible}
 .wide svg.plot{min-width:0}
 details{display:none}
 p{orphans:3;widows:3}
}
"""
