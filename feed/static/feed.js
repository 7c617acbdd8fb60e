// The script of the page: keyboard, clocks, actions and the live feed. It never makes HTML out of text.
"use strict";
(() => {
  const root = document.documentElement;
  const kept = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const keep = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private window */ } };
  const setTheme = (theme) => { if (theme === "light" || theme === "dark") root.dataset.theme = theme; else delete root.dataset.theme; };
  setTheme(kept("theme"));

  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const state = { texts: {}, picks: new Set(), limit: 0, last: "", heard: Date.now(), going: false, drafts: new Map() };
  const say = (key, values = {}) => (state.texts[key] || key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  const csrf = () => $('meta[name="csrf"]')?.content || "";

  // ---- time
  const MINUTE = 60, HOUR = 3600, DAY = 86400;
  function span(seconds) {
    const s = Math.max(0, Math.floor(seconds));
    if (s < MINUTE) return say("s", { n: s });
    if (s < HOUR) return say("min", { n: Math.floor(s / MINUTE) });
    if (s < DAY) return say("h", { n: Math.floor(s / HOUR), m: String(Math.floor((s % HOUR) / MINUTE)).padStart(2, "0") });
    return say("d", { n: Math.floor(s / DAY), h: Math.floor((s % DAY) / HOUR) });
  }
  function tick(from = document) {
    const now = Date.now();
    for (const clock of $$(".countdown", from)) {
      const due = Date.parse(clock.dataset.due), start = Date.parse(clock.dataset.from);
      const left = (due - now) / 1000, share = left / Math.max(60, (due - start) / 1000);
      const mood = left < 0 ? "over" : share < 0.2 || left < 120 ? "hot" : share < 0.5 ? "warm" : "cool";
      const text = left < 0 ? say("late", { span: span(-left) }) : span(left);
      if (clock.textContent !== text) clock.textContent = text;
      if (clock.dataset.mood !== mood) clock.dataset.mood = mood;
    }
    for (const time of $$('time[data-time="ago"]', from)) {
      const text = ago((now - Date.parse(time.dateTime)) / 1000);
      if (time.textContent !== text) time.textContent = text;
    }
    for (const time of $$('time[data-time="left"]', from)) {
      const left = (Date.parse(time.dateTime) - now) / 1000, text = left > 0 ? span(left) : say("now");
      if (time.textContent !== text) time.textContent = text;
    }
  }
  function ago(seconds) {
    if (seconds < 45) return say("now");
    if (seconds < HOUR) return say("ago_min", { n: Math.max(1, Math.round(seconds / MINUTE)) });
    if (seconds < DAY) return say("ago_h", { n: Math.floor(seconds / HOUR) });
    return say("ago_d", { n: Math.floor(seconds / DAY) });
  }
  function localise(from = document) {
    const today = new Date().toDateString();
    for (const time of $$('time[data-time="clock"]', from)) {
      const at = new Date(time.dateTime), parts = { hour: "2-digit", minute: "2-digit" };
      if (at.toDateString() !== today) Object.assign(parts, { month: "short", day: "numeric" });
      time.textContent = new Intl.DateTimeFormat(root.lang, { ...parts, hourCycle: "h23" }).format(at);
    }
    tick(from);
  }

  // ---- telling the user
  function toast(text, bad = false) {
    const note = document.createElement("p");
    note.className = bad ? "toast bad" : "toast";
    note.textContent = text;
    $("#toasts").append(note);
    setTimeout(() => note.remove(), bad ? 12000 : 4000);
  }
  async function api(path, body = {}) {
    let answer;
    try {
      answer = await fetch(path, {
        method: "POST", credentials: "same-origin", body: JSON.stringify(body),
        headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf() },
      });
    } catch { toast(say("offline"), true); return null; }
    if (answer.status === 401) { location.assign("/signin"); return null; }
    const result = await answer.json().catch(() => ({}));
    if (answer.ok) return result;
    toast(result.detail || say("failed"), true);
    return null;
  }

  // ---- fragments
  const busy = new Map();
  async function load(target, url, swap = "innerMorph") {
    if (!target) return;
    if (busy.has(target)) { busy.set(target, [url, swap]); return; }
    busy.set(target, null);
    try { await htmx.ajax("GET", url, { source: target, target, swap }); } catch { /* shown by the connection light */ }
    const again = busy.get(target);
    busy.delete(target);
    painted(target);
    if (again) await load(target, ...again);
  }
  function painted(target) {
    localise(target);
    const open = caseId();
    for (const line of $$(".line", target)) {
      const box = $('input[name="pick"]', line);
      if (box) box.checked = state.picks.has(line.dataset.id);
      const link = $(".line-link", line);
      if (line.dataset.id === open) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
    }
    if (target.id === "counts") badges();
    if (target.id === "case") composerReady();
  }
  function query(extra = {}) {
    const form = $("#filters");
    const asked = new URLSearchParams();
    if (form) for (const [key, value] of new FormData(form)) if (value) asked.set(key, value);
    for (const [key, value] of Object.entries(extra)) if (value) asked.set(key, value);
    return asked;
  }
  const refreshers = {
    counts: () => load($("#counts"), "/fragments/counts"),
    queue: () => load($("#queue"), "/fragments/queue?" + query({ limit: state.limit })),
    stream: () => load($("#stream"), "/fragments/stream?" + query({ limit: state.limit })),
    acks: () => load($("#acks"), "/fragments/acknowledgements?" + query()),
    channels: () => load($("#channels"), "/fragments/channels"),
    agreement: () => load($("#agreement"), "/fragments/agreement"),
    case: () => caseId() && load($("#case"), "/fragments/cases/" + caseId()),
  };
  let wanted = new Set(), timer = 0, ran = 0;
  function want(...names) {
    names.forEach((name) => wanted.add(name));
    if (timer) return;
    timer = setTimeout(() => {
      timer = 0; ran = Date.now();
      const now = wanted; wanted = new Set();
      now.forEach((name) => refreshers[name]());
    }, Math.max(0, 300 - (Date.now() - ran)));
  }
  // Signed out meanwhile, or the case went to a team that is not ours: the page itself knows where to go.
  function refused(event) {
    const status = event.detail.ctx?.response?.raw?.status;
    if (status === 401) location.reload();
    if (status === 404 && event.target.id === "case") location.assign("/");
  }
  const everything = () => want(...Object.keys(refreshers));

  // ---- the live feed
  function light(mode) {
    state.online = mode;
    const lamp = $("#connection");
    if (!lamp) return;
    lamp.dataset.state = mode;
    lamp.title = say(mode);
    $(".sr", lamp).textContent = say(mode);
  }
  function listen() {
    const live = $("#live");
    if (!live) return;
    const heard = (event) => { state.heard = Date.now(); if (event.detail?.id) state.last = event.detail.id; light("online"); };
    live.addEventListener("beat", heard);
    live.addEventListener("resync", (event) => { heard(event); everything(); });
    live.addEventListener("over", () => location.reload());
    live.addEventListener("changed", (event) => { heard(event); happened(JSON.parse(event.detail.data).events); });
    live.addEventListener("htmx:sse:error", () => light("offline"));
    live.addEventListener("htmx:sse:close", () => light("offline"));
  }
  function relisten() {
    const old = $("#live");
    if (!old) return;
    const live = document.createElement("div");
    for (const { name, value } of old.attributes) live.setAttribute(name, value);
    if (state.last) live.setAttribute("data-hx-sse:connect", "/events?after=" + encodeURIComponent(state.last));
    old.replaceWith(live);
    state.heard = Date.now();
    listen();
    htmx.process(live);
  }
  function happened(events) {
    for (const event of events) {
      if (["marked", "unmarked"].includes(event.kind)) want("stream", "agreement");
      else if (event.kind === "message") want("stream");
      else want("counts", "queue");
      if (event.case && event.case === caseId()) want("case");
      if (["sent", "suppressed", "refused", "unknown", "preview", "case_opened"].includes(event.kind)) want("acks", "stream");
      if (["alarm", "alarm_over"].includes(event.kind)) want("channels");
    }
  }
  function alarm() {
    $("#alarm-announce").textContent = say("p1");
    if (kept("sound") !== "on") return;
    beep();
    if (window.Notification?.permission === "granted") {
      const note = new Notification(say("p1"), { tag: "heedful-p1", body: say("p1_body") });
      note.onclick = () => { window.focus(); note.close(); };
    }
  }
  function beep() {
    try {
      const audio = new AudioContext();
      for (const [start, pitch] of [[0, 740], [0.18, 988]]) {
        const tone = audio.createOscillator(), volume = audio.createGain();
        tone.frequency.value = pitch;
        volume.gain.setValueAtTime(0.12, audio.currentTime + start);
        volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + start + 0.3);
        tone.connect(volume).connect(audio.destination);
        tone.start(audio.currentTime + start);
        tone.stop(audio.currentTime + start + 0.32);
      }
      setTimeout(() => audio.close(), 1000);
    } catch { /* no sound here */ }
  }
  const title = document.title;
  function badges() {
    const numbers = $("#badges"), p1 = Number($("#p1")?.dataset.p1 || 0);
    document.title = (p1 ? `(${p1}) ` : "") + title;
    if (state.p1 !== undefined && p1 > state.p1) alarm();
    state.p1 = p1;
    if (!numbers) return;
    for (const key of ["queue", "ack", "channels"]) {
      const badge = $("#badge-" + key), number = Number(numbers.dataset[key]);
      badge.hidden = !number;
      badge.textContent = number > 999 ? "999+" : String(number);
    }
    if (state.online) light(state.online);
  }

  // ---- the open case
  const caseId = () => $("#case")?.dataset.case || "";
  async function openCase(id, push = true) {
    const pane = $("#case");
    if (!pane) { location.assign("/cases/" + id); return; }
    saveDraft();
    pane.dataset.case = id;
    document.body.classList.add("has-case");
    if (push) history.pushState({ id }, "", "/cases/" + id + location.search);
    await load(pane, "/fragments/cases/" + id, "innerHTML");
    painted($("#queue"));
    $("#moments")?.lastElementChild?.scrollIntoView({ block: "nearest" });
  }
  function composerReady() {
    const text = $("#composer-text");
    if (!text || text.dataset.ready) return;
    text.dataset.ready = "1";
    const draft = state.drafts.get(caseId());
    if (draft) text.value = draft;
  }
  function saveDraft() {
    const text = $("#composer-text");
    if (text && caseId()) state.drafts.set(caseId(), text.value);
  }
  function mode(what) {
    const choice = $(`#composer input[value="${what}"]`), text = $("#composer-text");
    if (!choice || !text) return;
    choice.checked = true;
    $("#composer").dataset.what = what;
    text.placeholder = text.dataset[what];
    $("#composer-send").textContent = $("#composer-send").dataset[what];
    text.focus();
  }
  async function send(form) {
    const text = $("#composer-text"), id = caseId(), what = new FormData(form).get("what");
    if (!text.value.trim() || state.going) return;
    state.going = true;
    const body = { text: text.value };
    if (what === "answer") body.seen = form.dataset.seen || $(".case").dataset.seen;
    const done = await api(`/api/v1/cases/${id}/${what}`, body);
    state.going = false;
    delete form.dataset.seen;
    if (done) { text.value = ""; state.drafts.delete(id); toast(say(what === "answer" ? "answered" : "noted")); text.blur(); }
    want("case", "queue", "counts");
  }
  async function act(action, body = {}) {
    const ids = state.picks.size ? [...state.picks] : caseId() ? [caseId()] : [];
    if (!ids.length) return;
    if (action === "snooze") body = { until: new Date(Date.now() + Number(body.minutes) * 60000).toISOString() };
    const done = ids.length > 1 || state.picks.size
      ? await api("/api/v1/cases/bulk", { ids, action, ...body })
      : await api(`/api/v1/cases/${ids[0]}/${action}`, body);
    if (done) {
      for (const one of done.results || []) if (one.problem) toast(one.problem.detail, true);
      toast(say("done_" + action));
      pick(null);
    }
    want("case", "queue", "counts");
  }
  function pick(id) {
    if (id === null) state.picks.clear();
    else if (state.picks.has(id)) state.picks.delete(id); else state.picks.add(id);
    const bar = $("#bulk");
    if (!bar) return;
    bar.hidden = !state.picks.size;
    $("#bulk-count").textContent = state.picks.size;
    document.body.classList.toggle("picking", state.picks.size > 0);
    painted($("#queue"));
  }

  // ---- marks: how a message should have been read
  async function mark(button) {
    const id = button.closest("[data-message]").dataset.message, on = button.getAttribute("aria-pressed") === "true";
    const menu = button.closest("details");
    if (menu) menu.open = false;
    if (await api(`/api/v1/messages/${id}/${on ? "unmark" : "mark"}`, { mark: button.dataset.mark })) toast(say(on ? "unmarked" : "marked"));
    want("case", "stream", "agreement");
  }
  // The newest message first; pressed again, the one before it.
  function openMarks() {
    const menus = $$(".mark-menu");
    if (!menus.length) return;
    if ($("#moments")) menus.reverse();
    const at = menus.findIndex((menu) => menu.open);
    if (at >= 0) menus[at].open = false;
    const menu = menus[(at + 1) % menus.length];
    menu.open = true;
    $("summary", menu).focus();
    menu.scrollIntoView({ block: "nearest" });
  }

  // ---- keyboard
  const focused = () => document.activeElement?.closest(".line");
  function move(step) {
    const lines = $$(".line");
    if (!lines.length) return;
    const from = focused() || $('.line:has([aria-current="true"])');
    const at = from ? lines.indexOf(from) + step : step > 0 ? 0 : lines.length - 1;
    $(".line-link", lines[Math.min(lines.length - 1, Math.max(0, at))]).focus();
  }
  const shortcuts = {
    j: () => move(1), k: () => move(-1),
    o: () => focused() && openCase(focused().dataset.id),
    c: () => act("claim"), a: () => mode("answer"), n: () => mode("note"),
    r: () => (caseId() || state.picks.size) && open("resolve"),
    x: () => focused() && pick(focused().dataset.id), m: openMarks,
    "/": () => $("#search")?.focus(), "?": () => open("help"),
  };
  const places = { q: "/", s: "/stream", m: "/agreement" };
  let goes = 0;
  function pressed(event) {
    const inField = event.target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.id === "composer-text") {
      event.preventDefault(); send($("#composer")); return;
    }
    if (event.key === "Escape") { escape(inField); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || inField) return;
    const dialog = $("dialog[open]");
    if (dialog) { if (/^[1-9]$/.test(event.key)) { const box = $$("input[type=radio]", dialog)[event.key - 1]; if (box) { box.checked = true; box.focus(); } } return; }
    if (Date.now() - goes < 1500 && places[event.key]) { event.preventDefault(); location.assign(places[event.key]); return; }
    const choice = /^[1-9]$/.test(event.key) && $$(".mark-menu[open] [data-mark]")[event.key - 1];
    if (choice) { event.preventDefault(); mark(choice); return; }
    if (event.key === "g") { goes = Date.now(); return; }
    if (shortcuts[event.key]) { event.preventDefault(); shortcuts[event.key](); }
  }
  function escape(field) {
    $$("details.menu[open]").forEach((menu) => { menu.open = false; });
    if ($("dialog[open]")) return;
    if (field) field.blur(); else if (state.picks.size) pick(null);
  }
  function open(name) { const dialog = $("#" + name); if (dialog?.showModal && !dialog.open) dialog.showModal(); }

  // ---- the mouse and forms
  function clicked(event) {
    const on = (selector) => event.target.closest(selector);
    $$("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target) || on("[data-open], [data-act]")) menu.open = false; });
    const link = on(".line-link");
    if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0) { event.preventDefault(); openCase(link.closest(".line").dataset.id); return; }
    if (on("[data-open]")) open(on("[data-open]").dataset.open);
    else if (on("[data-close]")) on("dialog").close();
    else if (on("[data-act]")) act(on("[data-act]").dataset.act);
    else if (on("[data-bulk]")) act(on("[data-bulk]").dataset.bulk);
    else if (on("#bulk-clear")) pick(null);
    else if (on("#sound")) sound();
    else if (on("#more")) { state.limit = on("#more").dataset.limit; want("queue", "stream"); }
    else if (on("[data-theme-choice]")) { keep("theme", on("[data-theme-choice]").dataset.themeChoice); setTheme(kept("theme")); choices(); }
    else if (on("[data-text-act]")) settle(on("[data-text-act]"));
    else if (on("[data-mark]")) mark(on("[data-mark]"));
  }
  async function settle(button) {
    const id = button.closest("[data-id]").dataset.id;
    button.disabled = true;
    const done = await api(`/api/v1/acknowledgements/${id}/${button.dataset.textAct}`);
    if (done) toast(say("settled")); else button.disabled = false;
    want("acks", "counts");
  }
  async function sound() {
    const on = kept("sound") !== "on";
    keep("sound", on ? "on" : "off");
    choices();
    toast(say(on ? "sound_on" : "sound_off"));
    if (!on) return;
    beep();
    if (window.Notification?.permission === "default") await Notification.requestPermission();
  }
  function choices() {
    $("#sound")?.setAttribute("aria-pressed", String(kept("sound") === "on"));
    for (const button of $$("[data-theme-choice]")) button.setAttribute("aria-current", String(button.dataset.themeChoice === (kept("theme") || "auto")));
  }
  async function submitted(event) {
    const form = event.target;
    if (form.id === "composer") { event.preventDefault(); await send(form); return; }
    if (form.id === "filters") { event.preventDefault(); filtered(); return; }
    if ("post" in form.dataset) { event.preventDefault(); await post(form, event.submitter); return; }
    const body = Object.fromEntries(new FormData(form, event.submitter));
    if (form.dataset.caseAction) { event.preventDefault(); form.closest("dialog").close(); form.reset(); await act(form.dataset.caseAction, body); return; }
    if (!form.dataset.api) return;
    event.preventDefault();
    if ($$('[name="teams"]', form).length) body.teams = new FormData(form).getAll("teams");
    const done = await api(form.dataset.api, body);
    if (!done) return;
    form.closest("dialog")?.close();
    form.reset();
    if ("reload" in form.dataset) location.reload(); else want("counts");
  }
  // A form sent by the browser itself would say `Origin: null`, since our pages give no referrer.
  async function post(form, button) {
    const fields = new URLSearchParams(new FormData(form, button));
    const answer = await fetch(form.action, { method: "POST", body: fields, redirect: "manual" }).catch(() => null);
    if (answer) location.assign(fields.get("next") || "/"); else toast(say("offline"), true);
  }
  let typing = 0;
  function filtered() {
    clearTimeout(typing);
    typing = setTimeout(() => {
      state.limit = 0;
      const asked = query().toString();
      history.replaceState(history.state, "", location.pathname + (asked ? "?" + asked : ""));
      want("queue", "stream", "acks");
    }, 180);
  }
  function typed(event) {
    if (event.target.closest("#filters")) filtered();
    if (event.target.name === "pick") pick(event.target.value);
    if (event.target.name === "what") mode(event.target.value);
    if (event.target.id !== "composer-text") return;
    // What the answer was written to: a message that arrives meanwhile stops it, until it was looked at.
    if (!$("#composer").dataset.seen) $("#composer").dataset.seen = $(".case").dataset.seen;
    $("#composer-count").textContent = event.target.value.length || "";
  }

  document.addEventListener("DOMContentLoaded", () => {
    const data = $("#texts");
    if (!data) return;
    state.texts = JSON.parse(data.textContent);
    document.addEventListener("keydown", pressed);
    document.addEventListener("click", clicked);
    document.addEventListener("submit", submitted);
    document.addEventListener("htmx:response:error", refused);
    document.addEventListener("input", (event) => { if (event.target.name !== "pick") typed(event); });
    document.addEventListener("change", (event) => { if (event.target.name === "pick") typed(event); });
    document.addEventListener("reset", (event) => { if (event.target.id === "filters") setTimeout(filtered); });
    window.addEventListener("popstate", () => location.reload());
    listen();
    localise();
    choices();
    badges();
    composerReady();
    painted($("#queue") || document.body);
    setInterval(tick, 1000);
    setInterval(() => { if (Date.now() - state.heard > 40000) { light("offline"); relisten(); } }, 5000);
    root.dataset.ready = "1";
  });
})();
