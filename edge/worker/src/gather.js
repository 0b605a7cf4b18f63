// Requests that come to one isolate for the same object at about the same time go to it together, as one request: each
// request to an object costs time and money, and what comes together is written as one row there. One that comes alone goes
// at once.
//
// Requests share plain values and no promise: each looks by its own timer whether another has asked for it. (Promises that one
// request makes and another resolves are allowed; after some 32,000 of them workerd took requests that waited so for hung.) Who
// asks asks in its own name, because the platform lets no request use what another has opened; and one that was cut off holds up
// nobody for long.

/** So many go together at once; and at most so many, and so many bytes unless one alone has more: the count is one byte. */
const ENOUGH = 16
const MOST = 126
const BYTES = 1 << 20
/** Milliseconds: after which one that nobody took along goes itself, how often it then looks for the reply, and for how long. */
const PAUSE = 20
const LOOK = 5
const PATIENCE = 30_000
/** Of so many objects it is remembered when they were asked last. */
const OBJECTS = 4096

/** By object: who waits, and when it was asked last. */
const lanes = new Map()

const lane = name => {
  if (!lanes.has(name)) {
    if (lanes.size >= OBJECTS) for (const [other, { waiting }] of lanes) if (!waiting.length) lanes.delete(other)
    lanes.set(name, { waiting: [], asked: 0 })
  }
  return lanes.get(name)
}

const sleep = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds))

/** All that wait, as far as they go together, and `own` in any case. */
const take = (waiting, own) => {
  let bytes = 0
  const count = waiting.findIndex(({ request }, at) => at === MOST || ((bytes += request.length) > BYTES && at > 0))
  const taken = waiting.splice(0, count < 0 ? waiting.length : count)
  if (!taken.includes(own)) taken.push(...waiting.splice(waiting.indexOf(own), 1))
  return taken
}

/** A list as postcard has it: how many there are, then one behind the other. */
const listed = items => {
  const bytes = new Uint8Array(items.reduce((sum, { request }) => sum + request.length, 1))
  bytes[0] = items.length
  let at = 1
  for (const { request } of items) {
    bytes.set(request, at)
    at += request.length
  }
  return bytes
}

/** The object's replies, each behind its length. */
const ask = async (objects, name, url, items) => {
  const response = await objects.get(objects.idFromName(name)).fetch(url, { method: 'POST', body: listed(items) })
  const bytes = new Uint8Array(await response.arrayBuffer())
  if (response.status !== 200) throw new Error(`it answers ${response.status}: ${new TextDecoder().decode(bytes)}`)
  const view = new DataView(bytes.buffer)
  let at = 0
  return items.map(() => {
    const start = at + 4
    at = start + view.getUint32(at, true)
    return bytes.subarray(start, at)
  })
}

/** Brings a request to an object, alone or with others, and gives the object's reply to it. */
export async function gather(objects, name, url, request) {
  const to = lane(name)
  const own = { request }
  const alone = to.waiting.push(own) === 1 && Math.abs(Date.now() - to.asked) >= PAUSE
  if (!alone && to.waiting.length < ENOUGH) {
    await sleep(PAUSE)
    for (const since = Date.now(); !to.waiting.includes(own); await sleep(LOOK)) {
      if (own.error) throw own.error
      if (own.reply) return own.reply
      if (Date.now() - since > PATIENCE) throw new Error('it was asked and has not answered')
    }
  }
  const items = take(to.waiting, own)
  to.asked = Date.now()
  try {
    const replies = await ask(objects, name, url, items)
    items.forEach((item, at) => { item.reply = replies[at] })
  } catch (error) {
    for (const item of items) item.error = error
    throw error
  }
  return own.reply
}
