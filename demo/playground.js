// Asks the collector once a second what stands in the buckets of this minute, this hour and today, and draws it.
// The site is public, so no token is needed; the same questions work from anywhere that may read it.
const SITE = 'demo.localhost';
const EVENTS = ['pageview', 'Like', 'Signup', 'Order', 'Download'];
const GRAINS = ['minute', 'hour', 'day'];
const PRICES = [9, 11.5, 12, 12.5, 13.5, 14, 9, 17, 48, 11.5];

const at = (selector) => document.querySelector(selector);
const state = at('[data-state]');
const strip = at('[data-strip]');
const counts = { minute: {}, hour: {}, day: {} };
// Presses that no bucket shows yet: what was pressed, and what the day held before.
const pressed = {};

async function ask(path, body) {
  const response = await fetch(path, body && { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  if (!response.ok) throw Object.assign(new Error(`status ${response.status}`), { wait: Number(response.headers.get('Retry-After')) });
  return response.json();
}

const iso = (ms) => new Date(ms).toISOString().slice(0, 19) + 'Z';
const query = (date_range) => ({ site_id: SITE, metrics: ['events'], date_range, dimensions: ['event:name'] });

// The hour and the day are the site's own; demo.localhost keeps UTC.
function questions(now) {
  const minute = Math.floor(now / 6e4) * 6e4;
  const hour = Math.floor(now / 36e5) * 36e5;
  return { minute: query([iso(minute), iso(minute + 6e4)]), hour: query([iso(hour), iso(hour + 36e5)]), day: query('day') };
}

function keep(grain, answer) {
  counts[grain] = Object.fromEntries(answer.results.map((row) => [row.dimensions[0], row.metrics[0]]));
}

/** The mark at the rim of a bucket: the next round number above what is in it. */
function rim(count) {
  for (let power = 10; ; power *= 10) for (const step of [1, 2.5, 5]) if (count <= power * step) return power * step;
}

function draw() {
  for (const vessel of document.querySelectorAll('[data-bucket]')) {
    const count = counts[vessel.dataset.grain][vessel.dataset.bucket] ?? 0;
    const tank = vessel.firstElementChild;
    const number = tank.querySelector('b');
    const text = count.toLocaleString('en');
    tank.dataset.top = rim(count).toLocaleString('en');
    tank.querySelector('i').style.transform = `scaleY(${count / rim(count)})`;
    if (number.textContent !== text) {
      const rose = number.textContent !== '–' && count > 0;
      number.textContent = text;
      if (rose) {
        vessel.classList.remove('up');
        void vessel.offsetWidth;
        vessel.classList.add('up');
      }
    }
  }
  for (const [name, press] of Object.entries(pressed)) {
    const missing = press.before + press.count - (counts.day[name] ?? 0);
    at(`[data-way="${name}"]`).textContent = missing > 0 ? `${missing} on the way` : 'counted';
    if (missing <= 0) delete pressed[name];
  }
}

function drawHour(minutes) {
  const most = Math.max(1, ...minutes.map((m) => m.pageviews));
  strip.replaceChildren(...minutes.map((m, n) => {
    const bar = document.createElementNS(strip.namespaceURI, 'rect');
    const high = m.pageviews ? Math.max(4, (56 * m.pageviews) / most) : 2;
    for (const [key, value] of Object.entries({ x: n * 10 + 1.5, y: 60 - high, width: 7, height: high, rx: 1.5 })) bar.setAttribute(key, value);
    if (!m.pageviews) bar.setAttribute('class', 'none');
    return bar;
  }));
}

async function look() {
  let wait = 1000;
  try {
    const asked = questions(Date.now());
    const started = performance.now();
    const [realtime, ...answers] = await Promise.all([
      ask(`/api/v1/sites/${SITE}/realtime`),
      ...GRAINS.map((grain) => ask('/api/v2/query', asked[grain])),
    ]);
    const took = performance.now() - started;
    GRAINS.forEach((grain, n) => keep(grain, answers[n]));
    draw();
    drawHour(realtime.minutes);
    at('[data-now]').textContent = `${realtime.visitors} ${realtime.visitors === 1 ? 'visitor' : 'visitors'} and ${realtime.events} ${realtime.events === 1 ? 'event' : 'events'} in the last five minutes`;
    at('[data-asked]').textContent = `POST /api/v2/query\n${JSON.stringify(asked.minute)}\n\n${JSON.stringify(answers[0], null, 2)}`;
    state.textContent = `Asked once a second; four answers took ${took.toFixed(0)} ms`;
    state.className = 'ask-state good';
  } catch (error) {
    wait = (error.wait || 3) * 1000;
    state.textContent = `The collector did not answer (${error.message}). Asking again in ${wait / 1000} s.`;
    state.className = 'ask-state bad';
  }
  // A page that nobody sees asks nothing.
  if (document.hidden) await new Promise((seen) => document.addEventListener('visibilitychange', seen, { once: true }));
  setTimeout(look, wait);
}

const CALLS = {
  Signup: (headwater) => headwater('Signup', { props: { plan: 'pro' }, value: 29 }),
  Order: (headwater) => PRICES.forEach((price) => headwater('Order', { value: price })),
};
for (const button of document.querySelectorAll('[data-press]')) {
  button.addEventListener('click', () => {
    const name = button.dataset.call ?? button.dataset.headwaterEvent;
    if (!name) return;
    CALLS[name]?.(window.headwater ?? (() => {}));
    const press = (pressed[name] ??= { before: counts.day[name] ?? 0, count: 0 });
    press.count += Number(button.dataset.press);
    draw();
  });
}
for (const name of EVENTS) at(`[data-way="${name}"]`)?.setAttribute('role', 'status');
look();
