// What the frame of mdBook lacks for readers with a keyboard or a screen reader.
document.querySelectorAll('.table-wrapper, pre > code').forEach(wide => { wide.tabIndex = 0; });
document.getElementById('mdbook-menu-bar')?.setAttribute('role', 'banner');
// A label may not say what it opens, nor be reached by the keyboard: a button in its place.
const label = document.getElementById('mdbook-sidebar-toggle');
const anchor = document.getElementById('mdbook-sidebar-toggle-anchor');
if (label && anchor) {
    const button = document.createElement('button');
    for (const { name, value } of label.attributes) {
        if (name !== 'for') button.setAttribute(name, value);
    }
    button.type = 'button';
    button.innerHTML = label.innerHTML;
    const tell = () => button.setAttribute('aria-expanded', String(anchor.checked));
    button.addEventListener('click', () => anchor.click());
    anchor.addEventListener('change', tell);
    tell();
    label.replaceWith(button);
}
