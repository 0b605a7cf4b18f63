// Asks the collector once a second what stands in the buckets of this minute, this hour and today, and draws it.
// The site is public, so no token is needed; the same questions work from anywhere that may read it.
const SITE = 'demo.localhost';
const EVENTS = ['pageview', 'Like', 'Signup', 'Order', 'Download'];
const PRICES = [9, 11.5, 12, 12.5, 13.5, 14, 9, 17, 48, 11.5];

const many = (n, word) => `${n.toLocaleString('en')} ${word}${n === 1 ? '' : 's'}`;
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
const sum = (rows) => {
  const sums = {};
  for (const { dimensions, metrics } of rows) sums[dimensions[0]] = (sums[dimensions[0]] ?? 0) + metrics[0];
  return sums;
};

// The minutes of this hour answer for the minute and, added up, for the hour: counts of buckets add. The hour and the day are
// the site's own; demo.localhost keeps UTC.
function hourQuery(now) {
  const hour = Math.floor(now / 36e5) * 36e5;
  return { site_id: SITE, metrics: ['events'], date_range: [iso(hour), iso(hour + 36e5)], dimensions: ['event:name', 'time:minute'] };
}
const DAY_QUERY = { site_id: SITE, metrics: ['events'], date_range: 'day', dimensions: ['event:name'] };

/** The mark at the rim of a bucket: the next round number above what is in it. */
function rim(count) {
  for (let power = 10; ; power *= 10) for (const step of [1, 2.5, 5]) if (count < power * step) return power * step;
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

// Without a session the server allows 120 requests a minute: the hour is asked for every second, the day when the hour has
// moved, the last five minutes now and then.
let pause = 1000;
let last = { hour: '', day: 0, realtime: 0 };
async function look() {
  try {
    const now = Date.now();
    const started = performance.now();
    const question = hourQuery(now);
    const answer = await ask('/api/v2/query', question);
    const took = performance.now() - started;
    const minute = iso(Math.floor(now / 6e4) * 6e4).slice(0, 19).replace('T', ' ');
    counts.hour = sum(answer.results);
    counts.minute = sum(answer.results.filter((row) => row.dimensions[1] === minute));
    const hour = JSON.stringify(counts.hour);
    if (now - last.day > (hour === last.hour ? 15e3 : 1900)) {
      counts.day = sum((await ask('/api/v2/query', DAY_QUERY)).results);
      last = { ...last, hour, day: now };
    }
    draw();
    at('[data-asked]').textContent = `POST /api/v2/query\n${JSON.stringify(question)}\n\n${JSON.stringify(answer, null, 2)}`;
    state.textContent = `Asked every second; the last answer took ${took.toFixed(0)} ms`;
    state.className = 'ask-state good';
    if (now - last.realtime > 8e3) {
      last.realtime = now;
      const realtime = await ask(`/api/v1/sites/${SITE}/realtime`);
      drawHour(realtime.minutes);
      at('[data-now]').textContent = `${many(realtime.visitors, 'visitor')} and ${many(realtime.events, 'event')} in the last five minutes`;
    }
    pause = 1000;
  } catch (error) {
    pause = error.wait ? error.wait * 1000 : Math.min(pause * 2, 15e3);
    state.textContent = `The collector did not answer (${error.message}). Asking again in ${Math.round(pause / 1000)} s.`;
    state.className = 'ask-state bad';
  }
  // A page that nobody sees asks nothing.
  if (document.hidden) await new Promise((seen) => document.addEventListener('visibilitychange', seen, { once: true }));
  setTimeout(look, pause);
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
