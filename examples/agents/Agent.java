import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The report agent in Java 17, with nothing but its standard library: java Agent.java */
public class Agent {
  static final String GATEWAY = env("GATEWAY_URL", "http://127.0.0.1:8100");
  static final String AGENT = env("AGENT", "acme/production/report-service");
  static final Set<String> ENDED = Set.of("COMPLETED", "FAILED", "CANCELED", "TIMED_OUT");
  static final HttpClient CLIENT = HttpClient.newHttpClient();

  public static void main(String[] args) throws InterruptedException {
    System.out.println("listening as " + AGENT);
    // After a restart it begins at 0: with all that has not ended.
    for (String cursor = "0"; ; ) {
      // The stream ends after the first events, or when there were none for a while.
      String path = "/v1/agents/" + AGENT + "/intents/stream?wait_seconds=20&since=" + cursor;
      HttpResponse<String> stream = call("GET", path, null);
      if (stream.statusCode() != 200) throw new IllegalStateException(stream.body());
      for (String line : stream.body().split("\n")) {
        if (!line.startsWith("data: ") || !line.contains("\"intent_id\"")) continue;
        work(field(line, "intent_id", ""));
        cursor = field(line, "seq", cursor);
      }
    }
  }

  static void work(String id) throws InterruptedException {
    // By reading an intent its agent has taken it.
    String intent = call("GET", "/v1/intents/" + id, null).body();
    if (ENDED.contains(field(intent, "status", ""))) return;
    System.out.println("working on " + id);
    String result;
    try {
      String url = generateReport(intent);
      result = "{\"action\":\"complete\",\"report_url\":\"%s\",\"language\":\"Java\"}".formatted(url);
    } catch (RuntimeException error) {
      result = "{\"action\":\"fail\",\"message\":\"%s\"}".formatted(error.getMessage());
    }
    // Another status than 200 says that it was canceled, or is too late.
    int status = call("POST", "/v1/intents/" + id + "/resume", result).statusCode();
    System.out.println("handed in " + id + " " + status);
  }

  static String generateReport(String intent) throws InterruptedException {
    String quarter = field(intent, "quarter", null);
    if (quarter == null) throw new IllegalArgumentException("which quarter?");
    int seconds = Integer.parseInt(field(intent, "seconds", "3"));
    for (int second = 1; second <= seconds; second++) {
      Thread.sleep(1_000);
      System.out.println(second + " s of work");
    }
    return "https://reports.example/" + quarter + ".pdf";
  }

  /** Tries until the gateway answers: it may be away, or being restarted. */
  static HttpResponse<String> call(String method, String path, String body)
      throws InterruptedException {
    var sent = body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body);
    var request =
        HttpRequest.newBuilder(URI.create(GATEWAY + path))
            .timeout(Duration.ofMinutes(1))
            .header("content-type", "application/json")
            .header("x-api-key", env("API_KEY", ""))
            .method(method, sent)
            .build();
    for (long pause = 500; ; pause = Math.min(pause * 2, 15_000)) {
      try {
        var response = CLIENT.send(request, BodyHandlers.ofString());
        if (response.statusCode() < 500 && response.statusCode() != 429) return response;
        System.out.println("the gateway is away: " + response.statusCode());
      } catch (IOException error) {
        System.out.println("the gateway is away: " + error);
      }
      Thread.sleep(pause);
    }
  }

  /** A member of a JSON text, wherever it is: the standard library has no parser. Use one for more than this. */
  static String field(String json, String name, String otherwise) {
    Matcher found = Pattern.compile("\"" + name + "\":\"?([^\",}]*)").matcher(json);
    return found.find() ? found.group(1) : otherwise;
  }

  static String env(String name, String otherwise) {
    String value = System.getenv(name);
    return value == null || value.isEmpty() ? otherwise : value;
  }
}
