// Runs inside the sandboxed frame: takes the report's HTML once from the page that embeds it, and writes it. It holds no token, has no
// origin, and can reach nothing; whatever the report's own scripts do happens in here.
'use strict';
(function () {
  if (window.parent === window) return; // Opened by itself: nothing to show.
  window.addEventListener('message', function take(event) {
    if (event.source !== window.parent || typeof event.data !== 'object' || event.data === null || typeof event.data.html !== 'string') return;
    window.removeEventListener('message', take);
    document.open();
    document.write(event.data.html);
    document.close();
  });
  window.parent.postMessage('bailiwick-report-frame-ready', '*');
})();
