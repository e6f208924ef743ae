// SPDX-License-Identifier: Apache-2.0
// Leshan's nodes to and from JSON of the shape that Dunlin's REST API uses, so that the tests compare like with like.
package interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.leshan.core.link.DefaultLinkParser;
import org.eclipse.leshan.core.link.DefaultLinkSerializer;
import org.eclipse.leshan.core.link.Link;
import org.eclipse.leshan.core.link.LinkParseException;
import org.eclipse.leshan.core.model.ResourceModel.Type;
import org.eclipse.leshan.core.node.LwM2mMultipleResource;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mObject;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.LwM2mResourceInstance;
import org.eclipse.leshan.core.node.LwM2mSingleResource;
import org.eclipse.leshan.core.node.ObjectLink;
import org.eclipse.leshan.core.util.datatype.ULong;

final class Nodes {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private Nodes() {}

    static JsonNode toJson(LwM2mNode node) {
        if (node instanceof LwM2mObject object) {
            ObjectNode out = MAPPER.createObjectNode().put("id", object.getId());
            ArrayNode list = out.putArray("instances");
            object.getInstances().keySet().stream().sorted().forEach(id -> list.add(toJson(object.getInstance(id))));
            return out;
        }
        if (node instanceof LwM2mObjectInstance instance) {
            ObjectNode out = MAPPER.createObjectNode().put("id", instance.getId());
            ArrayNode list = out.putArray("resources");
            instance.getResources().keySet().stream().sorted().forEach(id -> list.add(toJson(instance.getResource(id))));
            return out;
        }
        if (node instanceof LwM2mResourceInstance leaf) {
            ObjectNode out = MAPPER.createObjectNode().put("id", leaf.getId()).put("type", name(leaf.getType()));
            out.set("value", value(leaf.getValue()));
            return out;
        }
        LwM2mResource resource = (LwM2mResource) node;
        ObjectNode out = MAPPER.createObjectNode().put("id", resource.getId()).put("type", name(resource.getType()));
        if (resource.isMultiInstances()) {
            ArrayNode list = out.putArray("values");
            resource.getInstances().keySet().stream().sorted().forEach(id -> {
                ObjectNode item = list.addObject().put("id", id);
                item.set("value", value(resource.getInstance(id).getValue()));
            });
        } else {
            out.set("value", value(resource.getValue()));
        }
        return out;
    }

    private static String name(Type type) {
        return switch (type) {
            case UNSIGNED_INTEGER -> "unsigned";
            case CORELINK -> "corelnk";
            default -> type.name().toLowerCase();
        };
    }

    private static JsonNode value(Object value) {
        if (value instanceof String text) {
            return MAPPER.getNodeFactory().textNode(text);
        } else if (value instanceof Long number) {
            return MAPPER.getNodeFactory().numberNode(number);
        } else if (value instanceof ULong number) {
            return MAPPER.getNodeFactory().numberNode(number.toBigInteger());
        } else if (value instanceof Double number) {
            return MAPPER.getNodeFactory().numberNode(number);
        } else if (value instanceof Boolean bool) {
            return MAPPER.getNodeFactory().booleanNode(bool);
        } else if (value instanceof byte[] bytes) {
            return MAPPER.getNodeFactory().textNode(Base64.getEncoder().encodeToString(bytes));
        } else if (value instanceof Date date) {
            return MAPPER.getNodeFactory().textNode(Instant.ofEpochSecond(date.getTime() / 1000).toString());
        } else if (value instanceof ObjectLink link) {
            return MAPPER.getNodeFactory().textNode(link.getObjectId() + ":" + link.getObjectInstanceId());
        } else if (value instanceof Link[] links) {
            return MAPPER.getNodeFactory().textNode(new DefaultLinkSerializer().serializeCoreLinkFormat(links));
        }
        throw new IllegalArgumentException("no JSON for " + value);
    }

    static Type type(String name) {
        return switch (name) {
            case "unsigned" -> Type.UNSIGNED_INTEGER;
            case "corelnk" -> Type.CORELINK;
            default -> Type.valueOf(name.toUpperCase());
        };
    }

    static Object parse(Type type, JsonNode value) {
        switch (type) {
        case STRING:
            return value.textValue();
        case INTEGER:
            return value.longValue();
        case UNSIGNED_INTEGER:
            return ULong.valueOf(value.isTextual() ? new BigInteger(value.textValue()) : value.bigIntegerValue());
        case FLOAT:
            return value.doubleValue();
        case BOOLEAN:
            return value.booleanValue();
        case OPAQUE:
            return Base64.getDecoder().decode(value.textValue());
        case TIME:
            return Date.from(Instant.parse(value.textValue()));
        case OBJLNK:
            return ObjectLink.decodeFromString(value.textValue());
        case CORELINK:
            try {
                return new DefaultLinkParser().parseCoreLinkFormat(value.textValue().getBytes(StandardCharsets.UTF_8));
            } catch (LinkParseException e) {
                throw new IllegalArgumentException(e);
            }
        default:
            throw new IllegalArgumentException("no value of type " + type);
        }
    }

    static LwM2mResource resource(JsonNode json) {
        return resource(json.get("id").intValue(), json);
    }

    static LwM2mResource resource(int id, JsonNode json) {
        Type type = type(json.get("type").textValue());
        if (!json.has("values")) {
            return LwM2mSingleResource.newResource(id, parse(type, json.get("value")), type);
        }
        Map<Integer, Object> values = new LinkedHashMap<>();
        json.get("values").forEach(item -> values.put(item.get("id").intValue(), parse(type, item.get("value"))));
        return LwM2mMultipleResource.newResource(id, values, type);
    }

    static List<LwM2mResource> resources(JsonNode list) {
        List<LwM2mResource> out = new ArrayList<>();
        list.forEach(item -> out.add(resource(item)));
        return out;
    }

    /** The node that is written at `path`. */
    static LwM2mNode node(LwM2mPath path, JsonNode json) {
        if (path.isObjectInstance()) {
            return new LwM2mObjectInstance(path.getObjectInstanceId(), resources(json.get("resources")));
        } else if (path.isResource()) {
            return resource(path.getResourceId(), json);
        }
        Type type = type(json.get("type").textValue());
        return LwM2mResourceInstance.newInstance(path.getResourceInstanceId(), parse(type, json.get("value")), type);
    }
}
