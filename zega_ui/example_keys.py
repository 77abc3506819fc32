"""Keys for going through examples: each presses a button that is on the page, so all of it works without them."""

from __future__ import annotations

import streamlit as st

SCRIPT = """<script>
(() => {
  const KEYS = {
    j: 'next', ArrowRight: 'next', k: 'previous', ArrowLeft: 'previous',
    i: 'include', x: 'exclude', e: 'edit', u: 'undo', '?': 'example-keys',
  };
  const FIELDS = ['input:not([type=checkbox]):not([type=radio])', 'textarea', 'select', '[contenteditable=true]',
    '[role=slider]', '[role=dialog]', '[role=listbox]', '[role=menu]'].join();
  const TAKES_ARROWS = '[role=radiogroup], [role=tablist], [role=toolbar], [role=grid], input';
  const STARS = '.st-key-example-stars [role=radio], .st-key-example-stars input[type=radio]';
  const click = button => { if (button && !button.disabled) button.click(); };
  const press = event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const at = document.activeElement;
    if (!document.querySelector('.st-key-example-list') || at?.closest(FIELDS)) return;
    if (event.key.startsWith('Arrow') && at?.closest(TAKES_ARROWS)) return;
    if (/^[1-5]$/.test(event.key)) {
      const star = document.querySelectorAll(STARS)[Number(event.key) - 1];
      if (star && !star.checked && star.getAttribute('aria-checked') !== 'true') star.click();
    } else if (Object.hasOwn(KEYS, event.key)) {
      const none = KEYS[event.key] === 'next' && !document.querySelector('.st-key-example-steps');
      click(document.querySelector(none ? '.st-key-example-list button' : `.st-key-${KEYS[event.key]} button`));
    } else return;
    event.preventDefault();
  };
  if (window.zegaExampleKeys) document.removeEventListener('keydown', window.zegaExampleKeys);
  window.zegaExampleKeys = press;
  document.addEventListener('keydown', press);
})();
</script>"""
NEAR = """<script>
(() => { // {number}
  const detail = document.querySelector('.st-key-example-detail');
  const list = document.querySelector('.st-key-example-list');
  if (!detail || !list) return;
  if (detail.getBoundingClientRect().top > list.getBoundingClientRect().bottom - 1) detail.scrollIntoView();
  else {
    detail.closest('[data-testid=stColumn]')?.scrollTo(0, 0);
    document.querySelector('[class*=st-key-example-open-]')?.scrollIntoView({block: 'nearest'});
  }
})();
</script>"""


def listen() -> None:
    st.html(SCRIPT, unsafe_allow_javascript=True)


def near(number: int) -> None:
    """The beginning of what was opened is brought into view: below the list on a phone, beside its row on a desk."""
    st.html(NEAR.replace("{number}", str(number)), unsafe_allow_javascript=True)
