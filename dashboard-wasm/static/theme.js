// Before anything is drawn: the colours that were chosen in this browser. Without a choice the system's hold.
(function () {
  try {
    const theme = localStorage.getItem('headwater_theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch { /* A browser without storage has the system's colours. */ }
})();
