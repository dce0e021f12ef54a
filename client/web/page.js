// The page is whole without this script. It adds: news without reloading, "select all", and the
// code of a link of the form #token=..., which browsers send to no server.
'use strict';

const find = css => document.querySelector(css);

const token = find('#token');
if (token) token.value ||= new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
// A sign-in before the page keeps the fragment.
const signIn = find('form[action="/sign-in"]');
if (signIn) signIn.action += location.hash;

const tickAll = find('.tick-all');
if (tickAll) tickAll.hidden = false;
tickAll?.addEventListener('click', () => {
  for (const box of document.querySelectorAll('.tick input')) box.checked = true;
});

// A double click sends a form once.
document.addEventListener('submit', event => {
  const {dataset} = event.target;
  if (Date.now() - (dataset.sent || 0) < 2000) event.preventDefault();
  else dataset.sent = Date.now();
});

// Replaces the part of the page that shows the state of requests. Forms that a person fills in
// are outside of it. An open part stays open, and the focus stays where it is.
async function refresh() {
  const url = new URL(location.href);
  url.searchParams.delete('token');
  url.searchParams.delete('done');
  const answer = await fetch(url, {cache: 'no-store'});
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('live');
  const old = find('#live');
  if (!fresh || fresh.textContent === old.textContent) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.id : '';
  for (const open of old.querySelectorAll('details[open] > summary[id]')) {
    fresh.querySelector('#' + CSS.escape(open.id))?.parentElement.setAttribute('open', '');
  }
  old.replaceWith(fresh);
  if (focused) document.getElementById(focused)?.focus();
  find('#news').textContent = find('#news').dataset.text;
}

if (find('#live')) {
  // Events that arrive together are one refresh.
  let waiting = 0;
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => refresh().catch(() => {}), 50);
  };
  // A page out of sight keeps no connection: browsers have six for a site.
  let events;
  const watch = () => {
    events?.close();
    document.body.dataset.live = 'off';
    if (document.hidden) return;
    events = new EventSource('/events');
    events.addEventListener('change', soon);
    // The first message of each connection: something may have happened before it.
    events.addEventListener('begin', () => {
      document.body.dataset.live = 'on';
      soon();
    });
  };
  document.addEventListener('visibilitychange', watch);
  addEventListener('pagehide', () => events?.close());
  watch();
}
