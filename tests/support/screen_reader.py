"""What a screen reader is given: the accessibility tree of the browser, in reading order."""

from playwright.sync_api import Locator

SILENT = {"none", "generic", "InlineTextBox", "paragraph", "ListMarker"}  # roles that are not read themselves
NAMES = {
    "listitem": "list item", "StaticText": "text", "progressIndicator": "progress bar", "textbox": "text field",
}  # fmt: skip


def hear(element: Locator) -> list[str]:
    """One line for each stop of the reading cursor in an element, such as `button "Another one"`."""
    page = element.page
    element.evaluate("element => element.setAttribute('data-heard', '')")
    session = page.context.new_cdp_session(page)
    session.send("Accessibility.enable")
    document = session.send("DOM.getDocument")["root"]["nodeId"]
    found = session.send("DOM.querySelector", {"nodeId": document, "selector": "[data-heard]"})["nodeId"]
    backend = session.send("DOM.describeNode", {"nodeId": found})["node"]["backendNodeId"]
    nodes = {node["nodeId"]: node for node in session.send("Accessibility.getFullAXTree")["nodes"]}
    session.detach()
    element.evaluate("element => element.removeAttribute('data-heard')")
    root = next(node for node in nodes.values() if node.get("backendDOMNodeId") == backend)
    return list(_lines(root, nodes))


def _lines(node, nodes):
    role, name = node["role"]["value"], node.get("name", {}).get("value", "").strip()
    properties = {each["name"]: each["value"].get("value") for each in node.get("properties", [])}
    if not node["ignored"] and role not in SILENT and (name or role != "StaticText"):
        yield _spoken(role, name, node, properties)
        if role in ("heading", "button", "StaticText", "slider", "textbox"):
            return  # their content is their name
    for child in node.get("childIds", []):
        if child in nodes:
            yield from _lines(nodes[child], nodes)


def _spoken(role, name, node, properties):
    spoken = NAMES.get(role, role) + (f" level {properties['level']}" if role == "heading" else "")
    parts = [f'{spoken} "{name}"' if name else spoken]
    if "pressed" in properties:
        parts.append("pressed" if properties["pressed"] == "true" else "not pressed")
    return ", ".join(parts)
