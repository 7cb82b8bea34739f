"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("plan").textContent);
  const map = byId("map");
  const panel = byId("panel");
  const home = [...panel.childNodes];
  const ACTIONS = ["keep", "add", "chg", "del"];
  const SIGNS = ["=", "+", "~", "×"];
  const WORDS = ["kept", "added", "changed", "deleted"];
  const ROWS = 200;
  const NS = "http://www.w3.org/2000/svg";

  // --- elements from data: text only ever becomes text nodes ---
  const fill = (made, attrs, parts) => {
    for (const [name, value] of Object.entries(attrs || {})) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
    }
    for (const part of parts.flat(Infinity)) {
      if (part !== null && part !== undefined) made.append(part);
    }
    return made;
  };
  const el = (tag, attrs, ...parts) => fill(document.createElement(tag), attrs, parts);
  const svg = (tag, attrs, ...parts) => fill(document.createElementNS(NS, tag), attrs, parts);

  // --- the data, by name ---
  const sites = data.sites.map(([name, about, istg]) => ({ name, about, istg, dcs: [], conns: [] }));
  const dcs = data.dcs.map(([name, site, flags, domain]) => ({
    name, site, domain, gc: flags & 1, ro: flags & 2, down: flags & 4, istg: flags & 8,
  }));
  dcs.forEach((dc, at) => sites[dc.site].dcs.push(at));
  const links = data.links.map(([name, cost, every, open, options, at, ncs, limited]) => ({
    name, cost, every, open, options, sites: at, ncs, limited, conns: [],
  }));
  const conns = data.conns.map(([from, to, action, flags, ncs, why, way, starts, options, gone], at) => ({
    at, from, to, action, ncs: data.sets[ncs], why: why.map((text) => data.texts[text]),
    ways: way.map((path) => data.paths[path]), starts: data.texts[starts], options: data.texts[options],
    gone: gone === undefined ? "" : data.texts[gone], admin: flags & 1, implied: flags & 2, disabled: flags & 4,
    sysvol: flags & 8,
  }));
  for (const one of conns) {
    const ends = new Set([dcs[one.to].site]);
    if (one.from >= 0) ends.add(dcs[one.from].site);
    for (const site of ends) sites[site].conns.push(one.at);
    one.links = new Set(one.ways.flatMap(([over]) => over));
    if (one.action !== 3) for (const link of one.links) links[link].conns.push(one.at);
  }
  const fromName = (one) => (one.from >= 0 ? dcs[one.from].name : one.gone);
  const fromSite = (one) => (one.from >= 0 ? sites[dcs[one.from].site].name : "");
  const toSite = (one) => sites[dcs[one.to].site].name;
  const ncName = (nc) => data.ncs[nc][0];

  // --- what is shown, kept in the address so that it can be sent around ---
  const changes = conns.some((one) => one.action);
  const state = { view: changes ? "changes" : "after", nc: -1, links: true, conns: true, sel: "", q: "" };
  const start = { ...state };
  const readHash = () => {
    Object.assign(state, start);
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
      if (name === "view" && ["before", "after", "changes"].includes(value)) state.view = value;
      if (name === "nc" && data.ncs[Number(value)]) state.nc = Number(value);
      if (name === "hide") { state.links = !value.includes("links"); state.conns = !value.includes("connections"); }
      if (name === "sel" && selected(value)) state.sel = value;
      if (name === "q") state.q = value;
    }
  };
  const writeHash = (isStep) => {
    const hash = new URLSearchParams();
    if (state.view !== start.view) hash.set("view", state.view);
    if (state.nc >= 0) hash.set("nc", state.nc);
    const hidden = [...(state.links ? [] : ["links"]), ...(state.conns ? [] : ["connections"])];
    if (hidden.length) hash.set("hide", hidden.join(","));
    if (state.sel) hash.set("sel", state.sel);
    if (state.q) hash.set("q", state.q);
    const text = "#" + hash;
    if (text === (location.hash || "#")) return;
    // typing makes no steps to go back over
    if (isStep) history.pushState(null, "", text);
    else history.replaceState(null, "", text);
  };
  const selected = (name) => {
    if (name[0] === "f") return folds.get(Number(name.slice(1)));
    const found = { s: sites, l: links, c: conns }[name[0]];
    return found && found[Number(name.slice(1))];
  };
  const go = (change) => { Object.assign(state, change); writeHash(!("q" in change)); show(); };
  const goTo = (sel) => { go({ sel }); reveal(); };
  const numbers = (text) => (text ? text.split(" ").map(Number) : []);

  // --- the map ---
  const folds = new Map([...map.querySelectorAll("[data-f]")].map((shape) => [Number(shape.dataset.s), numbers(shape.dataset.f)]));
  const shapes = [...map.querySelectorAll("[data-c],[data-l],[data-s]")].map((shape) => ({
    shape,
    conns: numbers(shape.dataset.c),
    link: shape.dataset.l === undefined ? -1 : Number(shape.dataset.l),
    site: shape.dataset.s === undefined ? -1 : Number(shape.dataset.s),
    tile: shape.classList.contains("tile"),
    all: shape.dataset.f ? numbers(shape.dataset.f) : shape.dataset.s === undefined ? [] : [Number(shape.dataset.s)],
  }));
  const carries = (one, nc) => one.ncs.includes(nc);
  const hitsOf = (query) => new Set(!query ? [] : sites.map((_, at) => at).filter((at) => sites[at].name.toLowerCase().includes(query)
    || sites[at].dcs.some((dc) => dcs[dc].name.toLowerCase().includes(query))));

  const lit = () => {
    // what goes with the selection: connections, links, sites
    const found = { conns: new Set(), links: new Set(), sites: new Set() };
    if (!state.sel) return null;
    const at = Number(state.sel.slice(1));
    const take = (number) => {
      const one = conns[number];
      found.conns.add(number);
      for (const link of one.links) found.links.add(link);
      for (const [, over] of one.ways) for (const site of over) found.sites.add(site);
      found.sites.add(dcs[one.to].site);
      if (one.from >= 0) found.sites.add(dcs[one.from].site);
    };
    if (state.sel[0] === "c") take(at);
    if (state.sel[0] === "f") folds.get(at).forEach((site) => found.sites.add(site));
    if (state.sel[0] === "s") { found.sites.add(at); sites[at].conns.forEach(take); }
    if (state.sel[0] === "l") {
      found.links.add(at);
      links[at].sites.forEach((site) => found.sites.add(site));
      links[at].conns.forEach((number) => found.conns.add(number));
    }
    return found;
  };

  const showMap = () => {
    for (const view of ["before", "after", "changes"]) map.classList.toggle("view-" + view, state.view === view);
    map.classList.toggle("no-links", !state.links);
    map.classList.toggle("no-conns", !state.conns);
    const chosen = lit();
    map.classList.toggle("has-sel", Boolean(chosen));
    const found = hitsOf(state.q.trim().toLowerCase());
    for (const { shape, conns: own, link, site, tile, all } of shapes) {
      let off = false;
      let on = false;
      if (state.nc >= 0) {
        if (own.length) off = !own.some((number) => carries(conns[number], state.nc));
        else if (link >= 0) off = !links[link].ncs.includes(state.nc);
      }
      if (chosen) {
        if (own.length) on = own.some((number) => chosen.conns.has(number));
        else if (link >= 0 && !tile) on = chosen.links.has(link);
        else if (site >= 0) on = all.some((one) => chosen.sites.has(one));
      }
      shape.classList.toggle("off", off);
      shape.classList.toggle("on", on);
      shape.classList.toggle("sel", all.length > 0 && "sf".includes(state.sel[0]) && all.includes(Number(state.sel.slice(1))));
      if (site >= 0) shape.classList.toggle("hit", all.some((one) => found.has(one)));
    }
    byId("hits").textContent = !state.q.trim() ? "" : found.size ? `${found.size} found` : "nothing found";
    byId("search").classList.toggle("none", Boolean(state.q.trim()) && !found.size);
    for (const button of document.querySelectorAll("[data-view]")) {
      button.setAttribute("aria-pressed", String(button.dataset.view === state.view));
    }
    for (const button of document.querySelectorAll("[data-nc]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.nc) === state.nc));
    }
    byId("nc").value = String(state.nc);
    byId("show-links").checked = state.links;
    byId("show-conns").checked = state.conns;
    if (document.activeElement !== byId("search")) byId("search").value = state.q;
  };

  // --- the side panel ---
  const jump = (name, text) => el("button", { class: "jump", type: "button", "data-sel": name }, text);
  const badge = (action) => el("span", { class: "fate " + ACTIONS[action] }, SIGNS[action] + " " + WORDS[action]);
  const fact = (name, ...value) => [el("dt", {}, name), el("dd", {}, ...value)];
  const ends = (one) => [fromName(one), " → ", dcs[one.to].name];
  const connLine = (number) => {
    const one = conns[number];
    return el("li", {}, badge(one.action), " ", jump("c" + number, ends(one)));
  };
  const connList = (all, limit) => [
    el("ul", { class: "lines" }, all.slice(0, limit).map(connLine)),
    all.length > limit ? el("p", { class: "soft" }, `and ${all.length - limit} more, in the table below`) : null,
  ];
  const linkLine = (number) => {
    const link = links[number];
    return el("li", {}, jump("l" + number, link.name), el("span", { class: "soft" }, ` cost ${link.cost} · ${link.every}`));
  };

  const ring = (site) => {
    const all = site.dcs;
    if (all.length < 2 || all.length > 30) return null;
    const radius = 62 + Math.max(0, all.length - 8) * 3;
    const size = radius * 2 + 100;
    const spot = new Map(all.map((dc, turn) => {
      const angle = (2 * Math.PI * turn) / all.length - Math.PI / 2;
      return [dc, [size / 2 + 30 + radius * 1.35 * Math.cos(angle), size / 2 - 10 + radius * 0.9 * Math.sin(angle)]];
    }));
    const lines = site.conns.map((number) => conns[number])
      .filter((one) => spot.has(one.from) && spot.has(one.to))
      .filter((one) => state.view === "changes" || one.action !== (state.view === "before" ? 1 : 3))
      .map((one) => {
        const [ax, ay] = spot.get(one.from);
        const [bx, by] = spot.get(one.to);
        const far = Math.hypot(bx - ax, by - ay) || 1;
        const reach = (dx, dy) => Math.min(30 / (Math.abs(dx) || 1e-9), 15 / (Math.abs(dy) || 1e-9)) * 1;
        const cut = Math.min(0.45, reach(bx - ax, by - ay));
        const [sx, sy] = [(-(by - ay) / far) * 2.5, ((bx - ax) / far) * 2.5];
        const way = `M${ax + (bx - ax) * cut + sx} ${ay + (by - ay) * cut + sy}L${bx - (bx - ax) * cut + sx} ${by - (by - ay) * cut + sy}`;
        const word = ACTIONS[one.action];
        return svg("g", { class: "arrow " + word }, svg("path", { class: "line", d: way, "marker-end": `url(#head-${word})` }));
      });
    const pills = all.map((dc) => {
      const [x, y] = spot.get(dc);
      const one = dcs[dc];
      const kind = "dc" + (one.ro ? " ro" : "") + (one.down ? " down" : "") + (one.istg ? " istg" : "");
      const name = one.name.length > 9 ? one.name.slice(0, 4) + "…" + one.name.slice(-4) : one.name;
      return svg("g", { class: kind }, svg("title", {}, one.name),
        svg("rect", { class: "box", x: x - 33, y: y - 11, width: 66, height: 22, rx: 11 }),
        svg("text", { class: "dn", x, y: y + 4 }, name));
    });
    return svg("svg", {
      class: "map ring view-" + state.view, viewBox: `0 0 ${size + 60} ${size - 20}`, role: "img",
      "aria-label": `The ${all.length} DCs of ${site.name} and the connections between them`,
    }, lines, pills);
  };

  const dcLine = (number) => {
    const dc = dcs[number];
    const marks = [dc.istg && "ISTG", dc.gc && "GC", dc.ro && "read-only"].filter(Boolean).join(", ");
    return el("li", {}, el("b", {}, dc.name), marks ? el("span", { class: "soft" }, " " + marks) : null,
      dc.down ? el("span", { class: "fate del" }, "! does not answer") : null,
      dc.domain >= 0 ? el("span", { class: "soft" }, " · " + ncName(dc.domain)) : null);
  };
  const siteList = (all) => el("p", {}, all.slice(0, 400).map((site, rank) => [rank ? ", " : "", jump("s" + site, sites[site].name)]),
    all.length > 400 ? ` and ${all.length - 400} more` : "");
  const foldPanel = (all) => [
    el("h2", {}, `${sites[all[0]].name} … ${sites[all[all.length - 1]].name}`),
    el("p", { class: "soft" }, `${all.length} sites`), siteList(all),
  ];
  const sitePanel = (site, at) => {
    const outside = site.conns.filter((number) => {
      const one = conns[number];
      return one.from < 0 || dcs[one.from].site !== dcs[one.to].site;
    });
    const inside = site.conns.length - outside.length;
    const own = links.map((_, number) => number).filter((number) => links[number].sites.includes(at));
    return [
      el("h2", {}, site.name), el("p", { class: "soft" }, "Site · " + site.about),
      ring(site),
      el("ul", { class: "lines" }, site.dcs.slice(0, 60).map(dcLine)),
      inside ? el("p", { class: "soft" }, `${inside} connections inside the site, drawn above`) : null,
      folds.has(at) ? [el("h3", {}, `Leaves (${folds.get(at).length - 1})`), siteList(folds.get(at).slice(1))] : null,
      el("h3", {}, `Connections with other sites (${outside.length})`), connList(outside, 14),
      el("h3", {}, `Site links (${own.length})`), el("ul", { class: "lines" }, own.slice(0, 14).map(linkLine)),
    ];
  };
  const linkPanel = (link) => [
    el("h2", {}, link.name), el("p", { class: "soft" }, "Site link"),
    el("dl", {}, fact("Cost", String(link.cost)), fact("Interval", link.every), fact("Schedule", link.open),
      link.options ? fact("Options", link.options) : null,
      fact("Joins", link.sites.slice(0, 12).map((site, rank) => [rank ? ", " : "", jump("s" + site, sites[site].name)]),
        link.sites.length > 12 ? ` and ${link.sites.length - 12} more` : ""),
      fact("Carries", link.ncs.length ? link.ncs.map(ncName).join(", ") : "nothing: no path of the plan uses it")),
    el("h3", {}, `Connections over it (${link.conns.length})`), connList(link.conns, 30),
  ];
  const connPanel = (one) => [
    el("h2", {}, ends(one)),
    el("p", { class: "soft" }, badge(one.action), " ", (fromSite(one) === toSite(one)
      ? "within " + toSite(one) : (fromSite(one) || "?") + " → " + toSite(one))),
    one.admin ? el("p", {}, "Made by an administrator; the planner never changes it.") : null,
    one.implied ? el("p", {}, "Not written to the directory: only the read-only DC itself knows of it.") : null,
    one.disabled ? el("p", {}, "It is disabled.") : null,
    el("h3", {}, one.action === 3 ? "Why it goes" : "Why"), el("ul", { class: "lines" }, one.why.map((text) => el("li", {}, text))),
    one.ways.map(([over, via]) => [el("h3", {}, "Path"), el("p", {}, via.map((site, rank) => [
      rank ? [" —", jump("l" + over[rank - 1], links[over[rank - 1]].name), "— "] : "", jump("s" + site, sites[site].name)]))]),
    el("dl", {}, one.ncs.length ? fact("Carries", one.ncs.map(ncName).join(", ")) : null,
      one.starts ? fact("Starts", one.starts) : null, one.options ? fact("Options", one.options) : null),
  ];
  const showPanel = () => {
    const chosen = state.sel && selected(state.sel);
    const hadFocus = panel.contains(document.activeElement);
    if (!chosen) {
      if (panel.firstChild === home[0]) return;
      panel.replaceChildren(...home);
      if (hadFocus) (places.find((place) => place.tabIndex === 0) || byId("search")).focus({ preventScroll: true });
      return;
    }
    const at = Number(state.sel.slice(1));
    const parts = { s: sitePanel, f: foldPanel, l: linkPanel, c: connPanel }[state.sel[0]](chosen, at);
    const close = el("button", { class: "close", type: "button", "aria-label": "Close, back to the legend", onclick: () => go({ sel: "" }) }, "×");
    panel.replaceChildren(close, ...[parts].flat(Infinity).filter((part) => part !== null && part !== undefined));
    panel.scrollTop = 0;
    if (hadFocus) close.focus();
  };

  // --- the table ---
  let sorted = { by: -1, down: false };
  let rows = ROWS;
  const wayWords = (one) => one.ways.map(([over]) => over.map((link) => links[link].name).join(", ")).join("; ");
  const columns = [
    (one) => (one.action ? 0 : 1) + " " + WORDS[one.action], (one) => fromName(one), (one) => dcs[one.to].name,
    (one) => fromSite(one) + " " + toSite(one), (one) => one.ncs.map(ncName).join(", "), wayWords, (one) => one.why.join(" "),
  ];
  const texts = new Map();
  const textOf = (one) => {
    if (!texts.has(one)) texts.set(one, columns.map((column) => column(one)).join("\n").toLowerCase());
    return texts.get(one);
  };
  const showTable = () => {
    const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    const fate = byId("fate").value;
    const found = conns.filter((one) => (state.nc < 0 || carries(one, state.nc))
      && (state.view !== "before" || one.action !== 1) && (state.view !== "after" || one.action !== 3)
      && (fate === "" || (fate === "any" ? one.action > 0 : one.action === Number(fate)))
      && words.every((word) => textOf(one).includes(word)));
    if (sorted.by >= 0) {
      const key = columns[sorted.by];
      const order = new Intl.Collator(undefined, { numeric: true });
      found.sort((a, b) => order.compare(key(a), key(b)) * (sorted.down ? -1 : 1) || a.at - b.at);
    } else {
      found.sort((a, b) => (a.action === 0) - (b.action === 0) || a.at - b.at);
    }
    const focused = byId("rows").contains(document.activeElement) && document.activeElement.dataset.sel;
    byId("rows").replaceChildren(...found.slice(0, rows).map((one) => el("tr", {
      class: state.sel === "c" + one.at ? "sel" : false, "data-sel": "c" + one.at,
    },
    el("td", {}, badge(one.action)), el("td", {}, jump("c" + one.at, fromName(one))), el("td", {}, dcs[one.to].name),
    el("td", {}, fromSite(one) === toSite(one) ? toSite(one) : (fromSite(one) || "?") + " → " + toSite(one)),
    el("td", {}, one.ncs.map(ncName).join(", ")), el("td", {}, wayWords(one)), el("td", {}, one.why.join("; ")))));
    if (focused) {
      const again = byId("rows").querySelector(`button[data-sel="${focused}"]`);
      if (again) again.focus({ preventScroll: true });
    }
    byId("count").textContent = `${Math.min(rows, found.length)} of ${found.length} shown`
      + (found.length < conns.length ? `, ${conns.length} in all` : "");
    byId("more").hidden = found.length <= rows;
    document.querySelectorAll("th[data-by]").forEach((head) => {
      const here = Number(head.dataset.by) === sorted.by;
      head.setAttribute("aria-sort", here ? (sorted.down ? "descending" : "ascending") : "none");
    });
  };

  // --- zoom and pan: the part of the sheet that is in view ---
  const sheet = map.viewBox.baseVal;
  const whole = { x: sheet.x, y: sheet.y, width: sheet.width, height: sheet.height };
  const look = (x, y, width, height) => map.setAttribute("viewBox", [x, y, width, height].map((part) => part.toFixed(2)).join(" "));
  const zoom = (by, at) => {
    const now = map.viewBox.baseVal;
    const factor = Math.min(Math.max(by, whole.width * 0.02 / now.width), whole.width * 4 / now.width);
    const point = at || { x: now.x + now.width / 2, y: now.y + now.height / 2 };
    look(point.x - (point.x - now.x) * factor, point.y - (point.y - now.y) * factor, now.width * factor, now.height * factor);
  };
  const inSheet = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
  const fit = () => look(whole.x, whole.y, whole.width, whole.height);
  map.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), inSheet(event));
  }, { passive: false });
  let held = null;
  let moved = false;
  map.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    held = { x: event.clientX, y: event.clientY, box: { x: map.viewBox.baseVal.x, y: map.viewBox.baseVal.y }, scale: map.getScreenCTM().a };
    moved = false;
  });
  window.addEventListener("pointermove", (event) => {
    if (!held) return;
    const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
    if (Math.hypot(dx, dy) > 4) moved = true;
    if (moved) look(held.box.x - dx / held.scale, held.box.y - dy / held.scale, map.viewBox.baseVal.width, map.viewBox.baseVal.height);
  });
  window.addEventListener("pointerup", () => { held = null; });
  const zoomTo = (shape) => {
    const box = shape.getBBox();
    const now = Math.min(whole.width, Math.max(box.width * 4, 700));
    if (now > whole.width * 0.8) { fit(); return; }
    const high = now * whole.height / whole.width;
    look(box.x + box.width / 2 - now / 2, box.y + box.height / 2 - high / 2, now, high);
  };

  // --- what people do ---
  const reveal = () => {
    // what was chosen beside or below the map comes into view on it
    map.scrollIntoView({ block: "nearest" });
    const boxes = [...map.querySelectorAll(".on, .sel")].map((shape) => shape.getBoundingClientRect()).filter((box) => box.width);
    if (!boxes.length) return;
    const edge = map.getBoundingClientRect();
    const [left, right] = [Math.min(...boxes.map((box) => box.left)), Math.max(...boxes.map((box) => box.right))];
    const [top, bottom] = [Math.min(...boxes.map((box) => box.top)), Math.max(...boxes.map((box) => box.bottom))];
    if (left >= edge.left && right <= edge.right && top >= edge.top && bottom <= edge.bottom) return;
    const now = map.viewBox.baseVal;
    const by = Math.max(1, (right - left) * 1.1 / edge.width, (bottom - top) * 1.1 / edge.height);
    const middle = inSheet({ clientX: (left + right) / 2, clientY: (top + bottom) / 2 });
    if (by > 1 && now.width * by >= whole.width) fit();
    else look(middle.x - now.width * by / 2, middle.y - now.height * by / 2, now.width * by, now.height * by);
  };
  const pick = (target) => {
    const shape = target.closest("[data-c],[data-s],[data-l]");
    if (!shape || !map.contains(shape)) return "";
    if (shape.dataset.c) return "c" + numbers(shape.dataset.c)[0];
    if (shape.dataset.s !== undefined) return (shape.dataset.pick || "s") + shape.dataset.s;
    return "l" + shape.dataset.l;
  };
  const pickNext = (target) => {
    // a second click on an arrow that stands for several goes on to the next of them
    const shape = target.closest("[data-c]");
    const all = shape ? numbers(shape.dataset.c) : [];
    const now = all.indexOf(Number(state.sel.slice(1)));
    return state.sel[0] === "c" && now >= 0 ? "c" + all[(now + 1) % all.length] : pick(target);
  };
  map.addEventListener("click", (event) => { if (!moved) go({ sel: pickNext(event.target) }); });
  const places = [...map.querySelectorAll("[role=button]")];
  if (places.length) places[0].setAttribute("tabindex", "0");
  const step = (from, dx, dy) => {
    const here = from.getBoundingClientRect();
    const middle = (box) => [box.x + Math.min(box.width, 60) / 2, box.y + Math.min(box.height, 30) / 2];
    const [x, y] = middle(here);
    let best = null;
    let least = Infinity;
    for (const other of places) {
      if (other === from) continue;
      const [ox, oy] = middle(other.getBoundingClientRect());
      const ahead = (ox - x) * dx + (oy - y) * dy;
      const aside = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
      if (ahead > 2 && ahead + aside * 2.5 < least) { least = ahead + aside * 2.5; best = other; }
    }
    return best;
  };
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  map.addEventListener("keydown", (event) => {
    const at = event.target.closest("[role=button]");
    if (event.key in ARROWS && at) {
      const next = step(at, ...ARROWS[event.key]);
      if (next) { at.setAttribute("tabindex", "-1"); next.setAttribute("tabindex", "0"); next.focus(); }
    } else if ((event.key === "Enter" || event.key === " ") && at) go({ sel: pick(at) });
    else if (event.key === "+" || event.key === "=") zoom(0.8);
    else if (event.key === "-") zoom(1.25);
    else if (event.key === "0") fit();
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !state.sel) return;
    if (event.target.type === "search" && event.target.value) return; // that empties the field
    go({ sel: "" });
  });
  byId("zoom-in").addEventListener("click", () => zoom(0.75));
  byId("zoom-out").addEventListener("click", () => zoom(1.33));
  byId("zoom-fit").addEventListener("click", fit);
  for (const button of document.querySelectorAll("[data-view]")) button.addEventListener("click", () => go({ view: button.dataset.view }));
  panel.addEventListener("click", (event) => {
    const button = event.target.closest("[data-nc],[data-sel]");
    if (!button) return;
    if (button.dataset.sel) goTo(button.dataset.sel);
    else go({ nc: Number(button.dataset.nc) === state.nc ? -1 : Number(button.dataset.nc) });
  });
  byId("nc").addEventListener("change", (event) => go({ nc: Number(event.target.value) }));
  byId("show-links").addEventListener("change", (event) => go({ links: event.target.checked }));
  byId("show-conns").addEventListener("change", (event) => go({ conns: event.target.checked }));
  byId("search").addEventListener("input", (event) => go({ q: event.target.value }));
  byId("search").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const hits = shapes.filter(({ shape }) => shape.classList.contains("hit"));
    const found = hitsOf(state.q.trim().toLowerCase());
    const each = hits.flatMap(({ shape, all }) => all.filter((site) => found.has(site)).map((site) => [shape, site]));
    const now = each.findIndex(([, site]) => state.sel === "s" + site);
    const next = each[(now + 1) % each.length];
    if (next) { zoomTo(next[0]); go({ sel: "s" + next[1] }); }
    event.preventDefault();
  });
  byId("filter").addEventListener("input", () => { rows = ROWS; showTable(); });
  byId("fate").addEventListener("change", () => { rows = ROWS; showTable(); });
  byId("rows").addEventListener("click", (event) => {
    const row = event.target.closest("[data-sel]");
    if (row) goTo(row.dataset.sel);
  });
  byId("more").addEventListener("click", () => { rows *= 5; showTable(); });
  document.querySelectorAll("th[data-by]").forEach((head) => {
    head.querySelector("button").addEventListener("click", () => {
      const by = Number(head.dataset.by);
      sorted = { by, down: sorted.by === by && !sorted.down };
      showTable();
    });
  });
  window.addEventListener("hashchange", () => { readHash(); show(); });
  let aside = null;
  window.addEventListener("beforeprint", () => {
    // on paper nothing can be unfolded, and the whole map is there
    const closed = [...document.querySelectorAll("details:not([open])")];
    aside = { closed, box: map.getAttribute("viewBox") };
    closed.forEach((one) => { one.open = true; });
    fit();
  });
  window.addEventListener("afterprint", () => {
    if (!aside) return;
    aside.closed.forEach((one) => { one.open = false; });
    map.setAttribute("viewBox", aside.box);
    aside = null;
  });

  const show = () => { showMap(); showPanel(); showTable(); };
  for (const [nc, [label]] of data.ncs.entries()) byId("nc").append(el("option", { value: String(nc) }, label));
  readHash();
  document.documentElement.classList.add("js");
  show();
  document.documentElement.dataset.shown = state.view;
})();
