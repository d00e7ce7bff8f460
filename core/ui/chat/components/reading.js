// Reads answers aloud: samples of our own route through Web Audio, or sentences by the browser's voice.
// No library; texts come with `data`. One player for a page, at the document: a rerun does not stop it.

const PLAYER = Symbol.for("inkling.reading");
const RATE = 24000;
const JITTER_S = 0.25; // so much sound before it begins, or …
const PATIENCE_MS = 120; // … so long after the first of it
const AHEAD_S = 8; // no more sound is taken than lies so far ahead: who stops leaves the rest unsaid
const MESSAGE = '[data-testid="stChatMessage"]';
const UNSPOKEN = "button, pre, table, .katex, style, svg, [data-testid=stExpander], [data-testid=stCaptionContainer], [data-testid=stAlert]";

export default function ({ data }) {
  const player = (window[PLAYER] ||= install());
  player.data = data;
  player.name();
}

function install() {
  const player = new Player();
  if (!navigator.mediaDevices) document.documentElement.dataset.noMicrophone = "";
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button[data-read]") : null;
    if (!button) return;
    if (player.isOn && player.messageId === button.dataset.read) player.stop();
    else player.start(button.dataset.read, button);
  });
  document.documentElement.dataset.reading = ""; // from here on a press is heard: the button shows
  // Leaving the page by its own links ends nothing by itself: another page shows no answer to hear.
  addEventListener("pagehide", () => player.stop());
  addEventListener("resize", () => player.bar.hidden || player.place());
  return player;
}

class Player {
  constructor() {
    this.isOn = false;
    this.bar = document.createElement("div");
    this.bar.className = "inkling-reading";
    this.bar.setAttribute("role", "status");
    this.bar.hidden = true;
    this.bar.innerHTML = '<span class="words"></span><button type="button" class="again" hidden></button>'
      + '<button type="button" class="save" hidden></button><button type="button" class="stop"></button>';
    const on = (name, act) => this.bar.querySelector(name).addEventListener("click", act);
    on(".stop", () => (this.isOn ? this.stop() : this.putAway()));
    on(".save", () => this.save());
    on(".again", () => this.start(this.messageId, null, true));
    document.body.append(this.bar);
  }

  name() {
    const texts = this.data.texts;
    this.bar.querySelector(".save").textContent = texts.save;
    this.bar.querySelector(".again").textContent = texts.again;
    this.bar.querySelector(".stop").textContent = this.isOn ? texts.stop : texts.close;
  }

  show(words, { again = false, isError = false } = {}) {
    this.bar.hidden = false;
    this.bar.querySelector(".words").textContent = words;
    this.bar.classList.toggle("error", isError);
    this.bar.querySelector(".again").hidden = !again;
    this.bar.querySelector(".save").hidden = this.isOn || !this.heard.length;
    this.name();
    this.place();
  }

  // Above the chat box, however high that is, in the page's own colours.
  place() {
    const page = getComputedStyle(document.querySelector('[data-testid="stApp"]') || document.body);
    const box = document.querySelector('[data-testid="stBottomBlockContainer"]');
    const edge = box ? box.getBoundingClientRect() : { top: innerHeight, left: 0, width: innerWidth };
    Object.assign(this.bar.style, {
      background: page.backgroundColor, color: page.color, fontFamily: page.fontFamily,
      bottom: `${innerHeight - edge.top + 8}px`, right: `${innerWidth - edge.left - edge.width + 16}px`,
    });
  }

  putAway() {
    this.bar.hidden = true;
  }

  // -- from the first click to the end --

  async start(messageId, button, again = false) {
    this.stop();
    this.messageId = messageId;
    this.isOn = true;
    this.heard = [];
    const round = (this.round = {});
    const { by, voice, ticket } = this.data;
    this.aborting = new AbortController();
    this.begin(by);
    this.show(this.data.texts.waiting);
    try {
      if (ticket) await this.read(round, { message: messageId, by, voice, ticket, ...(again ? { again: 1 } : {}) });
      else this.sayShown(button);
      if (this.round === round) await this.drained(round);
      if (this.round === round) this.end(this.data.texts.ended);
    } catch (error) {
      if (this.round !== round) return;
      this.silence(); // what is shown as broken is not heard on
      const told = error instanceof Told ? error : new Told(this.data.texts.broken);
      this.end(told.message, { again: told.again, isError: true });
    }
  }

  begin(by) {
    if (by === "browser") {
      if (!("speechSynthesis" in window)) return;
      speechSynthesis.cancel();
      speechSynthesis.resume();
      return;
    }
    if (!this.context) {
      const Context = window.AudioContext || window.webkitAudioContext;
      this.context = new Context({ sampleRate: RATE });
      this.analyser = this.context.createAnalyser();
      this.analyser.connect(this.context.destination);
    }
    this.context.resume(); // within the click: browsers play nothing otherwise
    this.gain = this.context.createGain();
    this.gain.connect(this.analyser);
    this.sources = new Set();
    this.waiting = [];
    this.next = 0;
  }

  stop() {
    if (!this.isOn) return;
    this.silence();
    this.end(this.data.texts.stopped);
  }

  silence() {
    this.aborting.abort();
    this.round = null;
    if (this.gain) this.gain.disconnect();
    for (const source of this.sources || []) source.stop();
    this.cutHeard();
    clearTimeout(this.timer);
    if ("speechSynthesis" in window) speechSynthesis.cancel();
  }

  end(words, how) {
    this.isOn = false;
    this.show(words, how);
    if (!how && !this.heard.length) this.putAway();
  }

  // -- what comes --

  async read(round, query) {
    const address = new URL("speech/read", document.baseURI);
    address.search = new URLSearchParams(query);
    const reply = await fetch(address, { method: "POST", signal: this.aborting.signal });
    if (!reply.ok) {
      const told = await reply.json().catch(() => ({}));
      throw new Told(told.error || this.data.texts.broken);
    }
    const reader = reply.body.getReader();
    let rest = new Uint8Array(0);
    for (;;) {
      const { done, value } = await reader.read();
      if (this.round !== round) return;
      if (done) throw new Told(this.data.texts.broken); // without an end
      const bytes = new Uint8Array(rest.length + value.length);
      bytes.set(rest);
      bytes.set(value, rest.length);
      let at = 0;
      while (bytes.length - at >= 5) {
        const size = new DataView(bytes.buffer, at + 1, 4).getUint32(0, true);
        if (bytes.length - at - 5 < size) break;
        const kind = String.fromCharCode(bytes[at]);
        const content = bytes.slice(at + 5, at + 5 + size);
        at += 5 + size;
        if (kind === ".") return;
        await this.room(round);
        if (this.round !== round) return;
        this.take(kind, content);
      }
      rest = bytes.slice(at);
    }
  }

  // Until what is held has been heard, but for a few seconds: what is not read is not sent, or made.
  async room(round) {
    while (this.round === round && this.ahead() > AHEAD_S) await new Promise((wait) => setTimeout(wait, 60));
  }

  ahead() {
    if (!this.waiting) return 0;
    const held = this.waiting.reduce((sum, one) => sum + one.length, 0) / RATE;
    return held + Math.max(0, this.next - this.context.currentTime);
  }

  take(kind, content) {
    if (kind === "s") this.queue(content);
    else if (kind === "t") this.say(new TextDecoder().decode(content));
    else if (kind === "e") {
      const told = JSON.parse(new TextDecoder().decode(content));
      throw new Told(told.sentence, told.again);
    }
  }

  // -- samples --

  queue(content) {
    const samples = new Int16Array(content.buffer, 0, content.length >> 1);
    this.waiting.push(samples);
    const isPlaying = this.next > this.context.currentTime;
    const held = this.waiting.reduce((sum, one) => sum + one.length, 0) / RATE;
    if (isPlaying || held >= JITTER_S) this.play();
    else if (this.waiting.length === 1) this.timer = setTimeout(() => this.play(), PATIENCE_MS);
  }

  play() {
    clearTimeout(this.timer);
    if (!this.isOn) return;
    if (this.waiting.length) this.show(this.data.texts.reading);
    for (const samples of this.waiting.splice(0)) {
      const buffer = this.context.createBuffer(1, samples.length, RATE);
      const floats = buffer.getChannelData(0);
      for (let i = 0; i < samples.length; i++) floats[i] = samples[i] / 32768;
      const source = this.context.createBufferSource();
      source.buffer = buffer;
      source.connect(this.gain);
      const at = Math.max(this.next, this.context.currentTime + 0.02); // after an underrun: a pause
      source.start(at);
      this.next = at + buffer.duration;
      this.sources.add(source);
      source.onended = () => this.sources.delete(source);
      this.heard.push({ at, samples });
    }
  }

  cutHeard() {
    const now = this.context ? this.context.currentTime : 0;
    this.heard = this.heard.filter((one) => one.at < now)
      .map((one) => ({ at: one.at, samples: one.samples.subarray(0, Math.ceil((now - one.at) * RATE)) }));
  }

  async drained(round) {
    if (this.waiting && this.waiting.length) this.play();
    while (this.round === round && (this.isSpeaking() || this.next > (this.context?.currentTime || 0))) {
      await new Promise((wait) => setTimeout(wait, 60));
    }
  }

  isSpeaking() {
    return "speechSynthesis" in window && (speechSynthesis.speaking || speechSynthesis.pending);
  }

  // What is to be heard this moment, from 0 to 1.
  level() {
    if (!this.analyser) return 0;
    const wave = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(wave);
    return Math.max(...wave.map(Math.abs));
  }

  save() {
    const size = this.heard.reduce((sum, one) => sum + one.samples.length, 0);
    const view = new DataView(new ArrayBuffer(44 + size * 2));
    const put = (at, text) => [...text].forEach((sign, i) => view.setUint8(at + i, sign.charCodeAt(0)));
    put(0, "RIFF"); view.setUint32(4, 36 + size * 2, true); put(8, "WAVEfmt ");
    view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
    view.setUint32(24, RATE, true); view.setUint32(28, RATE * 2, true);
    view.setUint16(32, 2, true); view.setUint16(34, 16, true); put(36, "data");
    view.setUint32(40, size * 2, true);
    let at = 44;
    for (const { samples } of this.heard) for (const one of samples) { view.setInt16(at, one, true); at += 2; }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([view], { type: "audio/wav" }));
    link.download = "inkling-speech.wav";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // -- the browser's own voice --

  say(words) {
    if (!("speechSynthesis" in window)) throw new Told(this.data.texts.no_voice);
    const said = new SpeechSynthesisUtterance(words);
    said.lang = /[\u4e00-\u9fff]/.test(words) ? "zh-CN" : "en-US";
    this.show(this.data.texts.reading);
    speechSynthesis.speak(said);
  }

  // Where no route of ours is served, what the page shows is read.
  sayShown(button) {
    const message = button && button.closest(MESSAGE);
    if (!message) return;
    const shown = message.cloneNode(true);
    for (const part of shown.querySelectorAll(UNSPOKEN)) part.remove();
    for (const words of shown.textContent.match(/[^。！？!?.\n]+[。！？!?.\n]*/g) || []) this.say(words);
  }
}

class Told extends Error {
  constructor(message, again = false) {
    super(message);
    this.again = again;
  }
}
