"""A CloudFormation template in YAML, with the short forms of its functions written out."""
import yaml


class Loader(yaml.SafeLoader):
    """A name twice in one mapping is an error: CloudFormation would take the last one."""

    def construct_mapping(self, node, deep=False):
        names = [key.value for key, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{name} is there twice", node.start_mark)
        return super().construct_mapping(node, deep)


def function(loader, tag, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag in ("Ref", "Condition") else "Fn::" + tag: value}


Loader.add_multi_constructor("!", function)


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader)


def walk(value, path=()):
    """Every value in it, with the way to it."""
    yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from walk(item, path + (name,))


if __name__ == "__main__":
    import json
    import sys

    json.dump(load(sys.argv[1]), sys.stdout)
