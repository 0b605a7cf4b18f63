// The shop's own script: what its buttons say. Counting is the tracker's work; the shop calls it where a mark is not enough.
const money = (n) => '€' + n.toFixed(2);
const track = (name, options) => window.headwater && window.headwater(name, options);

// Basket: the button is marked, so the tracker counts the click; here only the sum is kept.
let items = 0;
let total = 0;
const order = document.querySelector('[data-order]');
const text = document.querySelector('[data-basket-text]');
for (const button of document.querySelectorAll('[data-basket]')) {
  button.addEventListener('click', () => {
    items += 1;
    total += Number(button.dataset.basket);
    button.textContent = 'Added, add another';
    if (!text) return;
    text.textContent = `${items} ${items === 1 ? 'bag' : 'bags'}, ${money(total)}`;
    order.disabled = false;
  });
}
order?.addEventListener('click', () => {
  track('Order', { props: { items: String(items) }, value: total });
  text.textContent = `Thank you! ${money(total)} were not charged: this is a demo.`;
  items = total = 0;
  order.disabled = true;
});

// Subscriptions: a call with a property and a value.
for (const button of document.querySelectorAll('[data-signup]')) {
  button.addEventListener('click', () => {
    track('Signup', { props: { plan: button.dataset.signup }, value: Number(button.dataset.price) });
    document.querySelector('[data-signup-text]').textContent = `${button.dataset.signup} it is. Welcome! (Nothing was charged: this is a demo.)`;
  });
}

// The article's question.
for (const button of document.querySelectorAll('[data-say]')) {
  button.addEventListener('click', () => {
    document.querySelector('[data-said]').textContent = button.dataset.say;
    for (const other of document.querySelectorAll('[data-say]')) other.disabled = true;
  });
}
