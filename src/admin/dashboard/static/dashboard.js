// What every page has: "/" goes to the search.

const EDITABLE = 'input, textarea, select, [contenteditable]'

document.addEventListener('keydown', (event) => {
  const { target } = event
  const isTyping = target instanceof Element && target.closest(EDITABLE) !== null
  if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return
  event.preventDefault()
  const search = document.querySelector('input[type=search], #url')
  if (search instanceof HTMLInputElement) search.select()
  else location.assign('/routes#search')
})

// Here from another page's "/".
if (location.hash === '#search') document.getElementById('search')?.focus()
